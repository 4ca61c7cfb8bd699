#include "ipc/replay_times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <utility>

namespace arenad {
namespace {

template <class... Numbers>
void append_line(std::string& text, const char* format, Numbers... numbers) {
  std::array<char, 160> line{};
  const int length = std::snprintf(line.data(), line.size(), format, numbers...);
  text.append(line.data(), static_cast<size_t>(length));
}

enum class Base { decimal = 10, hexadecimal = 16 };

// The words of one line. Whether all were what they should be is asked at the end.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view word() {
    const size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    good_ = good_ && !word.empty();
    return word;
  }
  uint64_t number(Base base = Base::decimal) {
    const std::string_view text = word();
    uint64_t value = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value, static_cast<int>(base));
    good_ = good_ && error == std::errc() && at == text.data() + text.size();
    return value;
  }
  std::string_view rest() { return std::exchange(rest_, {}); }
  [[nodiscard]] bool all_good() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

enum class Part { beginning, middle, end };

// False if the line is none of this place.
bool take_line(std::string_view line, Part& part, ReplayTimes& times) {
  Words words(line);
  const std::string_view kind = words.word();
  if (part == Part::beginning && kind == "module") {
    times.game = words.word();
    times.version = words.rest();
    part = Part::middle;
  } else if (part == Part::middle && kind == "frame") {
    ReplayedFrame frame{words.number(), words.number(), words.number(Base::hexadecimal), false};
    frame.diverged = words.number() != 0;
    times.frames.push_back(frame);
  } else if (part == Part::middle && kind == "result") {
    times.results.push_back(
        {words.number(), words.number(), words.number(Base::hexadecimal), words.number(), words.number(Base::hexadecimal)});
  } else if (part == Part::middle && kind == "end") {
    times.state_hash = words.number(Base::hexadecimal);
    part = Part::end;
  } else {
    return false;
  }
  return words.all_good();
}

}  // namespace

std::string write_replay_times(const ReplayTimes& times) {
  std::string text = "module " + times.game + " " + times.version + "\n";
  for (const ReplayedFrame& frame : times.frames) {
    append_line(text, "frame %" PRIu64 " %" PRIu64 " %" PRIx64 " %d\n", frame.frame, frame.ns, frame.outputs_hash,
                frame.diverged ? 1 : 0);
  }
  for (const ReplayedResult& result : times.results) {
    append_line(text, "result %" PRIu64 " %" PRIu64 " %" PRIx64 " %" PRIu64 " %" PRIx64 "\n", result.frame, result.seat,
                result.type, result.bytes, result.hash);
  }
  append_line(text, "end %" PRIx64 "\n", times.state_hash);
  return text;
}

Result<ReplayTimes> read_replay_times(std::string_view text) {
  ReplayTimes times;
  Part part = Part::beginning;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!take_line(line, part, times)) return make_error(ErrorCode::corrupt, "no line of times: " + std::string(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (part != Part::end) return make_error(ErrorCode::corrupt, "the times have no end: the run did not come to its own");
  return times;
}

}  // namespace arenad
