// What a process has written, line by line. Pure.
//
// A line ends with its line end, or is cut where it gets too long: then what follows is a line of its own. One that has no end yet waits for
// it, until its process has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace arenad {

constexpr size_t kMostLineBytes = 4096;

enum class MoreToCome { yes, no };

struct CutLine {
  std::string_view text;  // without its end
  size_t bytes = 0;       // with it
  bool is_cut = false;    // it goes on
  bool operator==(const CutLine&) const = default;
};

// The first line of `bytes`; nothing if it is not there as a whole.
std::optional<CutLine> first_line(std::string_view bytes, MoreToCome more);

struct CountedLines {
  uint64_t lines = 0;
  size_t bytes = 0;  // with their ends
  bool operator==(const CountedLines&) const = default;
};
// All the lines that are there as a whole, for somebody who wants to leave them out: costs as little as finding line ends does.
CountedLines count_lines(std::string_view bytes);

// Where the last so many lines begin, if none is cut, and the very last one may have no end.
size_t begin_of_last_lines(std::string_view bytes, size_t lines);

}  // namespace arenad
