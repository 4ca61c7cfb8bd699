// What a run shows while it goes on: on a terminal a table that is drawn again in its place, otherwise a line a second.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "chaos/run_options.h"

namespace arenad::chaos {

struct ArenaPicture {
  std::string name;
  std::string state;
  uint64_t frame = 0;
  uint64_t epoch = 0;
  uint64_t events = 0;
  uint64_t outputs = 0;
  uint64_t kills = 0;
  double last_recovery_ms = 0;
  std::string version;  // of the game
};

struct Picture {
  Subject subject = Subject::kills;
  double seconds = 0;
  size_t bots = 0;
  uint64_t kills = 0;
  std::vector<ArenaPicture> arenas;
};

struct ScreenSize {
  size_t columns = 80;
  size_t rows = 24;
};

// As it is now; of what is no terminal, the usual one.
ScreenSize size_of(FILE* terminal);

// Leaves the last row to the cursor. Arenas that have no row are counted in one; columns that have no room are left out whole.
std::vector<std::string> table_lines(const Picture& picture, ScreenSize size);
std::string line_text(const Picture& picture);

class Screen {
 public:
  explicit Screen(FILE* out);
  // Whether a new picture would be shown now; making one costs something.
  [[nodiscard]] bool is_due(uint64_t now_ns) const { return now_ns >= next_ns_; }
  void show(const Picture& picture, uint64_t now_ns);
  // A line that stays, below the table, which stays too.
  void say(const std::string& text);
  // A line that stays, above the table, which goes on below it.
  void say_above(const std::string& text);

 private:
  enum class Kind { terminal, plain };
  void take_table_away();
  FILE* out_;
  Kind kind_;
  uint64_t next_ns_ = 0;
  size_t lines_to_redraw_ = 0;
};

}  // namespace arenad::chaos
