#include "cli/console.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace arenad::cli {
namespace {

void write_to(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

void Console::data(std::string_view text) const {
  if (verbosity_ == Verbosity::normal) write_to(stdout, text);
}

void Console::flush() const {
  std::fflush(stdout);
}

void Console::error(std::string_view message) const {
  // On a terminal both streams share the screen; what was printed first appears first.
  std::fflush(stdout);
  write_to(stderr, fmt::format("arenactl: {}\n", message));
}

void Console::note(std::string_view message) const {
  if (verbosity_ == Verbosity::normal) error(message);
}

bool Console::can_ask() const {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

bool Console::confirm(std::string_view question) const {
  std::fflush(stdout);
  write_to(stderr, fmt::format("{} [y/N] ", question));
  std::string answer;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) answer += static_cast<char>(c);
  return answer == "y" || answer == "Y" || answer == "yes";
}

bool Console::on_terminal() const {
  return ::isatty(STDOUT_FILENO) == 1;
}

Colour Console::colour() const {
  const bool unwanted = !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
  return on_terminal() && !unwanted ? Colour::ansi : Colour::none;
}

ExitCode Console::finish(ExitCode code) const {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  error(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  return worst(code, ExitCode::failed);
}

}  // namespace arenad::cli
