#include "cli/console.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/ioctl.h>
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

size_t terminal_width() {
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return is_known ? size.ws_col : 80;
}

}  // namespace

void Console::data(std::string_view text) const {
  clear_progress();
  if (verbosity_ == Verbosity::normal) write_to(stdout, text);
}

void Console::flush() const {
  std::fflush(stdout);
}

void Console::error(std::string_view message) const {
  // On a terminal both streams share the screen; what was printed first appears first.
  clear_progress();
  std::fflush(stdout);
  write_to(stderr, fmt::format("arenactl: {}\n", message));
}

// Spaces and not an escape sequence, which not every terminal knows.
void Console::clear_progress() const {
  if (progress_width_ == 0) return;
  write_to(stderr, fmt::format("\r{:{}}\r", "", progress_width_));
  progress_width_ = 0;
}

void Console::progress(std::string_view line) const {
  if (!shows_progress()) return;
  const std::string_view shown = line.substr(0, terminal_width() - 1);
  const size_t left_over = progress_width_ > shown.size() ? progress_width_ - shown.size() : 0;
  write_to(stderr, fmt::format("\r{}{:{}}", shown, "", left_over));
  progress_width_ = std::max(progress_width_, shown.size());
}

bool Console::shows_progress() const {
  return verbosity_ == Verbosity::normal && ::isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb";
}

void Console::note(std::string_view message) const {
  if (verbosity_ == Verbosity::normal) error(message);
}

bool Console::can_ask() const {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

bool Console::confirm(std::string_view question) const {
  clear_progress();
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
  if (wish_ != ColourWish::automatic) return wish_ == ColourWish::always ? Colour::ansi : Colour::none;
  const bool unwanted = !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
  return on_terminal() && !unwanted ? Colour::ansi : Colour::none;
}

ExitCode Console::finish(ExitCode code) const {
  clear_progress();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  error(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  return worst(code, ExitCode::failed);
}

}  // namespace arenad::cli
