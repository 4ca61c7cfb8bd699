// One line that a worker writes for arenad to read: how important it is, and when and in which frame it was written. What a game prints by
// itself has none of that, or, if it likes, the beginning that systemd knows (sd-daemon(3)): <3> for an error, to <7>.
//
//   <6>@1732809808123456789 4711 the text      from the game's log: Unix nanoseconds, the frame
//   <6>the text
//   the text
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arenad {

struct OutputLine {
  int priority = 6;  // as in syslog(3): 0 is the worst, 7 is for debugging
  std::optional<uint64_t> unix_ns;
  std::optional<uint64_t> frame;
  std::string_view text;
  bool operator==(const OutputLine&) const = default;
};

// With the line's end.
std::string write_output_line(const OutputLine& line);
// text: into `line`. Never fails: what does not look like one of these is text as a whole.
OutputLine parse_output_line(std::string_view line);

}  // namespace arenad
