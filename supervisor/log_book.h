// The last lines of the log, in memory: those of each arena, also when it has ended, and arenad's own. For arenactl logs, which needs no
// journal and no file.
//
// Bounded: so many lines and bytes of each arena, and so many bytes in all; of arenas that have said nothing for the longest time nothing is
// kept first. Lines are numbered from 1 over all arenas. Any thread may add.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "supervisor/log_line.h"

namespace arenad {

class LogBook {
 public:
  static constexpr size_t kMostBytesOfOne = size_t{256} * 1024;
  static constexpr size_t kMostBytes = size_t{64} * 1024 * 1024;

  // number: tells this book from those of other programs; not 0.
  explicit LogBook(uint64_t number) : number_(number) {}

  void keep_lines(size_t of_each) { lines_kept_ = of_each; }
  void add(LogLine line);

  struct Numbered {
    uint64_t number = 0;
    LogLine line;
  };
  struct Page {
    std::vector<Numbered> lines;  // by number
    uint64_t next = 0;            // everything up to this number has been looked at
    bool missed = false;          // lines after the number asked for are not kept any more
  };
  // Of these arenas, "" for arenad's own; of all, if `everything`. The newest so many.
  struct Selected {
    bool everything = false;
    std::vector<std::string> arenas;
  };
  [[nodiscard]] Page newest(const Selected& selected, size_t limit) const;
  // Those after this number, oldest first.
  [[nodiscard]] Page after(const Selected& selected, uint64_t number, size_t limit) const;
  // The names of arenas of which lines are kept and that fit: a name, or a glob over names.
  [[nodiscard]] std::vector<std::string> names(const std::string& pattern) const;
  [[nodiscard]] uint64_t number() const { return number_; }

 private:
  struct Ring {
    std::deque<Numbered> lines;
    size_t bytes = 0;
    uint64_t dropped = 0;  // the number of the newest one that is not kept any more
  };
  void drop_first(Ring& ring);
  void drop_longest_silent();
  [[nodiscard]] std::vector<const Ring*> rings(const Selected& selected) const;

  const uint64_t number_;
  mutable std::mutex mutex_;  // guards everything below
  size_t lines_kept_ = 200;
  uint64_t last_ = 0;
  size_t bytes_ = 0;
  uint64_t dropped_with_ring_ = 0;
  std::map<std::string, Ring> rings_;  // by the arena's name
};

}  // namespace arenad
