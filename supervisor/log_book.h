// The last lines of the log, in memory: those of each arena, also when it has ended, and arenad's own. For arenactl logs, which needs no
// journal and no file.
//
// Bounded: so many lines and bytes of each arena, and so many bytes in all; of arenas that have said nothing for the longest time nothing is
// kept first. Lines are numbered from 1 over all arenas. Any thread may add.
//
// Whoever asks holds up those who add, so no more lines are looked at than are answered, and one for each arena.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/log_line.h"
#include "supervisor/packed.h"

namespace arenad {

class LogBook {
 public:
  // What a line takes in memory counts, not its text alone.
  static constexpr size_t kMostBytesOfOne = size_t{256} * 1024;
  static constexpr size_t kMostBytes = size_t{64} * 1024 * 1024;

  // number: tells this book from those of other programs; not 0.
  explicit LogBook(uint64_t number) : number_(number) {}

  void keep_lines(size_t of_each);
  void add(const LogLine& line);

  struct Numbered {
    uint64_t number = 0;
    LogLine line;
  };
  struct Page {
    std::vector<Numbered> lines;  // by number
    uint64_t next = 0;            // everything up to this number has been looked at
    bool missed = false;          // lines after the number asked for are not kept any more
    bool older_left = false;      // of the newest so many the oldest were too many bytes
  };
  // Of these arenas, "" for arenad's own, each once; of all, if `everything`.
  struct Selected {
    bool everything = false;
    std::vector<std::string> arenas;
  };
  // What a page has at most; at least one line, if there is one.
  struct Most {
    size_t lines;
    size_t bytes = kMostBytes;
  };
  // The newest of those before this number; 0: of all.
  [[nodiscard]] Page newest(const Selected& selected, Most most, uint64_t before = 0) const;
  // Those after this number, oldest first.
  [[nodiscard]] Page after(const Selected& selected, uint64_t number, Most most) const;
  // The names of arenas of which lines are kept and that fit: a name, or a glob over names.
  [[nodiscard]] std::vector<std::string> names(const std::string& pattern) const;
  [[nodiscard]] uint64_t number() const { return number_; }

 private:
  struct Ring {
    std::string arena;
    std::deque<Packed> lines = {};  // without the arena's name
    size_t bytes = 0;
    uint64_t dropped = 0;  // the number of the newest one that is not kept any more
  };
  using Rings = std::list<Ring>;
  // Where in a ring an answer stands.
  struct Place {
    uint64_t number;  // of the line there
    const Ring* ring;
    size_t index;
  };
  static LogLine unpack(const Ring& ring, const Packed& packed);
  static Place place_in(const Ring& ring, size_t index);
  // The first line with this number or a higher one.
  static size_t first_from(const Ring& ring, uint64_t number);
  static bool add_line(Page& page, const Place& place, Most most, size_t& bytes);

  Ring& ring_of(const std::string& arena);
  void drop_first(Ring& ring);
  void drop_longest_silent();
  [[nodiscard]] std::vector<const Ring*> rings(const Selected& selected) const;

  const uint64_t number_;
  mutable std::mutex mutex_;  // guards everything below
  size_t lines_kept_ = 200;
  uint64_t last_ = 0;
  size_t bytes_ = 0;
  uint64_t dropped_with_ring_ = 0;
  Rings rings_;                                        // who has been silent for the longest time comes first
  std::map<std::string_view, Rings::iterator> names_;  // into the rings
};

}  // namespace arenad
