#include "cli/screen.h"

#include <array>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <string>

#define NCURSES_NOMACROS
#include <ncurses.h>

namespace arenad::cli {
namespace {

// What a signal handler may touch.
volatile std::sig_atomic_t ending = 0;

void note_signal(int /*signal*/) {
  ending = 1;
}

struct Paint {
  Tone tone;
  short pair;
  short colour;
};
constexpr std::array kPaints{Paint{Tone::good, 1, COLOR_GREEN}, Paint{Tone::changing, 2, COLOR_YELLOW},
                             Paint{Tone::bad, 3, COLOR_RED}};

attr_t attributes_of(Tone tone) {
  if (tone == Tone::heading) return A_BOLD;
  for (const Paint& paint : kPaints) {
    if (paint.tone == tone && has_colors()) return COLOR_PAIR(paint.pair);
  }
  return A_NORMAL;
}

Key key_of(int code) {
  switch (code) {
    case ERR:
      return Key::none;
    case KEY_UP:
      return Key::up;
    case KEY_DOWN:
      return Key::down;
    case KEY_PPAGE:
      return Key::page_up;
    case KEY_NPAGE:
      return Key::page_down;
    case KEY_HOME:
      return Key::home;
    case KEY_END:
      return Key::end;
    case KEY_RESIZE:
      return Key::resized;
    case KEY_ENTER:
    case '\r':
      return Key::enter;
    case KEY_BACKSPACE:
    case '\b':
      return Key::backspace;
    default:
      return code < 256 ? static_cast<Key>(code) : Key::none;
  }
}

}  // namespace

std::unique_ptr<Screen> Screen::open(Colour colour) {
  std::setlocale(LC_ALL, "");
  ending = 0;
  // ncurses leaves handlers alone that are there before it begins. Without SA_RESTART a signal ends the waiting for a key.
  struct sigaction action {};
  action.sa_handler = note_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaction(signal, &action, nullptr);
  if (newterm(nullptr, stdout, stdin) == nullptr) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
    return nullptr;
  }
  return std::unique_ptr<Screen>(new Screen(colour));
}

Screen::Screen(Colour colour) {
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  set_escdelay(50);
  curs_set(0);
  if (colour == Colour::none || start_color() == ERR) return;
  use_default_colors();
  for (const Paint& paint : kPaints) init_pair(paint.pair, paint.colour, -1);
}

Screen::~Screen() {
  endwin();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
}

size_t Screen::height() const {
  return static_cast<size_t>(getmaxy(stdscr));
}

size_t Screen::width() const {
  return static_cast<size_t>(getmaxx(stdscr));
}

void Screen::begin() {
  werase(stdscr);
}

void Screen::line(size_t row, std::string_view text, Tone tone, Emphasis emphasis) {
  if (row >= height()) return;
  const attr_t attributes = attributes_of(tone) | (emphasis == Emphasis::reversed ? A_REVERSE : A_NORMAL);
  wattrset(stdscr, static_cast<int>(attributes));
  std::string whole(text);
  if (emphasis == Emphasis::reversed && display_width(whole) < width()) whole.append(width() - display_width(whole), ' ');
  mvwaddstr(stdscr, static_cast<int>(row), 0, whole.c_str());
  wattrset(stdscr, A_NORMAL);
}

void Screen::show() {
  wrefresh(stdscr);
}

void Screen::repaint() {
  clearok(stdscr, TRUE);
}

Key Screen::key(uint64_t timeout_ms) {
  if (is_over()) return Key::none;
  wtimeout(stdscr, static_cast<int>(timeout_ms));
  return key_of(wgetch(stdscr));
}

bool Screen::is_over() {
  return ending != 0;
}

}  // namespace arenad::cli
