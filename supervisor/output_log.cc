#include "supervisor/output_log.h"

#include <algorithm>
#include <vector>

#include "ipc/clock.h"
#include "ipc/output_line.h"
#include "ipc/printable.h"
#include "supervisor/log.h"
#include "supervisor/log_line.h"
#include "supervisor/output_lines.h"

namespace arenad {
namespace {

// At 50 ms between two looks: 640 KiB/s.
constexpr size_t kMostBytesInALook = size_t{32} * 1024;
constexpr size_t kMostLinesInALook = 500;
constexpr size_t kLastLines = 20;

LogSeverity severity_of(int priority) {
  if (priority <= 3) return LogSeverity::error;
  if (priority == 4) return LogSeverity::warning;
  return priority == 7 ? LogSeverity::debug : LogSeverity::info;
}

void log_line(const OutputSource& source, const CutLine& cut) {
  const OutputLine line = parse_output_line(cut.text);
  std::string text;
  if (!source.arena.empty()) text.append("arena=").append(log_value(source.arena)).append(" ");
  text.append("game=").append(log_value(source.game));
  if (source.epoch != 0) text += " epoch=" + std::to_string(source.epoch);
  text += " pid=" + std::to_string(source.pid);
  if (line.frame) text += " frame=" + std::to_string(*line.frame);
  text += source.arena.empty() ? " source=template msg=\"" : " source=worker msg=\"";
  text += log_quoted(printable(line.text));
  if (cut.is_cut) text += " [the line is longer, and goes on in the next one]";
  text += '"';
  log_written(severity_of(line.priority), line.unix_ns, text);
}

}  // namespace

// At most once a second, so that a flood is not followed by another one.
void OutputLog::say_left_out(const OutputSource& source, const LineRate& rate, uint64_t now_ns, Urgency urgency) {
  if (urgency == Urgency::in_its_time && now_ns - said_ns_ < kSecond) return;
  const uint64_t lines = urgency == Urgency::at_once ? limit_.take_suppressed() : limit_.take_suppressed(rate, now_ns);
  if (lines == 0 && skipped_bytes_ == 0) return;
  said_ns_ = now_ns;
  std::string text = "<4>left out of its output: " + std::to_string(lines) + " lines, as logs.lines_per_s allows no more";
  if (skipped_bytes_ != 0)
    text += ", and " + std::to_string(skipped_bytes_) + " bytes, which came faster than they can be taken";
  skipped_bytes_ = 0;
  log_line(source, {text});
}

OutputLog::Found OutputLog::read(OutputFile& file, const OutputSource& source, const LineRate& rate, uint64_t now_ns,
                                 OutputTurn& turn) {
  const std::string bytes = file.unread(kMostBytesInALook);
  std::string_view rest = bytes;
  size_t logged = 0;
  while (!rest.empty() && logged < kMostLinesInALook && limit_.has_room(rate, now_ns)) {
    const auto line = first_line(rest, MoreToCome::yes);
    if (!line) break;
    rest.remove_prefix(line->bytes);
    (void)limit_.admit(rate, now_ns);
    log_line(source, *line);
    ++logged;
  }
  if (logged < kMostLinesInALook && !limit_.has_room(rate, now_ns)) {
    const CountedLines left_out = count_lines(rest);
    limit_.suppress(left_out.lines);
    rest.remove_prefix(left_out.bytes);
  }
  file.take(bytes.size() - rest.size());
  if (bytes.size() == kMostBytesInALook) skipped_bytes_ += file.skip_excess();
  say_left_out(source, rate, now_ns, Urgency::in_its_time);
  turn.spend(OutputTurn::kCostOfLook + bytes.size() + logged * OutputTurn::kCostOfLine);
  return bytes.empty() ? Found::nothing : Found::something;
}

void OutputLog::read_last(OutputFile& file, const OutputSource& source, const LineRate& rate, uint64_t now_ns) {
  skipped_bytes_ += file.skip_excess();
  const std::string bytes = file.unread(OutputFile::kMostUnread);
  std::string_view rest = std::string_view(bytes).substr(0, begin_of_last_lines(bytes, kLastLines));
  const size_t before_last_bytes = rest.size();
  while (!rest.empty() && limit_.has_room(rate, now_ns)) {
    const CutLine line = *first_line(rest, MoreToCome::no);
    rest.remove_prefix(line.bytes);
    (void)limit_.admit(rate, now_ns);
    log_line(source, line);
  }
  limit_.suppress(count_lines(rest).lines);
  // Long ones are cut into several.
  std::vector<CutLine> lines;
  rest = std::string_view(bytes).substr(before_last_bytes);
  while (const auto line = first_line(rest, MoreToCome::no)) {
    rest.remove_prefix(line->bytes);
    lines.push_back(*line);
  }
  file.take(bytes.size());
  const size_t before_last = lines.size() - std::min(lines.size(), kLastLines);
  for (size_t i = 0; i < before_last; ++i) {
    if (limit_.admit(rate, now_ns)) log_line(source, lines[i]);
  }
  say_left_out(source, rate, now_ns, Urgency::at_once);
  for (size_t i = before_last; i < lines.size(); ++i) log_line(source, lines[i]);
}

}  // namespace arenad
