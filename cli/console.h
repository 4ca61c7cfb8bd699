// Where a command's words go: data to standard output, everything else to standard error, each line after "arenactl: ".
#pragma once

#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/table.h"

namespace arenad::cli {

enum class Verbosity { normal, quiet };  // quiet: errors only
enum class ColourWish { automatic, always, never };

class Console {
 public:
  explicit Console(Verbosity verbosity, ColourWish wish = ColourWish::automatic) : verbosity_(verbosity), wish_(wish) {}

  // Standard output, as it is.
  void data(std::string_view text) const;
  // Sends off what was written so far, for who reads along.
  void flush() const;
  void error(std::string_view message) const;
  // What is good to know and no error.
  void note(std::string_view message) const;

  // How far something is that takes its time: one line on standard error, in place of the one before, which goes away when anything
  // else is written. Only if shows_progress(): standard error is a terminal, and nobody has asked for quiet.
  void progress(std::string_view line) const;
  [[nodiscard]] bool shows_progress() const;

  // Asks the person at the terminal. False if the answer is not yes. Only if can_ask().
  [[nodiscard]] bool confirm(std::string_view question) const;
  [[nodiscard]] bool can_ask() const;
  [[nodiscard]] bool on_terminal() const;
  // As was wished; else on terminals only, and not where NO_COLOR is set (no-color.org).
  [[nodiscard]] Colour colour() const;

  // Sends off what was written. Output that could not be written makes a success a failure.
  [[nodiscard]] ExitCode finish(ExitCode code) const;

 private:
  void clear_progress() const;

  Verbosity verbosity_;
  ColourWish wish_;
  mutable size_t progress_width_ = 0;  // of the line that is there now
};

}  // namespace arenad::cli
