// Where a command's words go: data to standard output, everything else to standard error, each line after "arenactl: ".
#pragma once

#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/table.h"

namespace arenad::cli {

enum class Verbosity { normal, quiet };  // quiet: errors only

class Console {
 public:
  explicit Console(Verbosity verbosity) : verbosity_(verbosity) {}

  // Standard output, as it is.
  void data(std::string_view text) const;
  // Sends off what was written so far, for who reads along.
  void flush() const;
  void error(std::string_view message) const;
  // What is good to know and no error.
  void note(std::string_view message) const;

  // Asks the person at the terminal. False if the answer is not yes. Only if can_ask().
  [[nodiscard]] bool confirm(std::string_view question) const;
  [[nodiscard]] bool can_ask() const;
  [[nodiscard]] bool on_terminal() const;
  // Colours on terminals only, and not where NO_COLOR is set (no-color.org).
  [[nodiscard]] Colour colour() const;

  // Sends off what was written. Output that could not be written makes a success a failure.
  [[nodiscard]] ExitCode finish(ExitCode code) const;

 private:
  Verbosity verbosity_;
};

}  // namespace arenad::cli
