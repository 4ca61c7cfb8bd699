// A whole terminal as lines of text and single keys: ncurses, and nothing of it outside. While it is there, SIGINT, SIGTERM and SIGHUP
// only end the waiting for a key, so that the terminal is put right before the process goes; SIGTSTP and SIGCONT leave the screen and
// come back to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "cli/table.h"

namespace arenad::cli {

// Letters are keys of their own code.
enum class Key : int {
  none = 0,
  enter = '\n',
  escape = 27,
  backspace = 127,
  up = 1000,
  down,
  page_up,
  page_down,
  home,
  end,
  resized
};

class Screen {
 public:
  // Nothing if this terminal cannot do it.
  static std::unique_ptr<Screen> open(Colour colour);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] size_t height() const;
  [[nodiscard]] size_t width() const;

  // All lines are empty then.
  void begin();
  enum class Emphasis { none, reversed };
  void line(size_t row, std::string_view text, Tone tone = Tone::plain, Emphasis emphasis = Emphasis::none);
  void show();
  // Makes all of it new, where something else has written to the terminal.
  void repaint();

  // Key::none if there was none in this time, or a signal came.
  [[nodiscard]] Key key(uint64_t timeout_ms);
  // Whether a signal has asked it to end.
  [[nodiscard]] static bool is_over();

 private:
  explicit Screen(Colour colour);
};

}  // namespace arenad::cli
