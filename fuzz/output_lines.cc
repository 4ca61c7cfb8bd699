// The lines of what a process has written (supervisor/output_lines.h).
#include "supervisor/output_lines.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  Source source(input);
  const auto last = source.number<uint8_t>();
  // A few bytes that are repeated, so that lines get too long.
  std::string written;
  for (const auto repeated = source.number<uint16_t>(); const char c : source.rest()) {
    written.append(c == 'L' ? repeated % 9000 : 1, c == 'L' ? 'l' : c);
  }
  const CountedLines counted = count_lines(written);
  std::string_view left = written;
  size_t taken = 0;
  uint64_t lines = 0;
  while (const auto line = first_line(left, MoreToCome::yes)) {
    ARENAD_ASSERT(line->bytes > 0 && line->bytes <= left.size() && line->text.size() <= kMostLineBytes);
    ARENAD_ASSERT(line->text.find('\n') == std::string_view::npos);
    left.remove_prefix(line->bytes);
    taken += line->bytes;
    ++lines;
  }
  ARENAD_ASSERT(left.size() <= kMostLineBytes && left.find('\n') == std::string_view::npos);
  ARENAD_ASSERT(counted.bytes == taken && counted.lines <= lines);
  if (!left.empty()) {
    const auto end = first_line(left, MoreToCome::no);
    ARENAD_ASSERT(end && end->bytes == left.size() && end->text == left);
  }
  const size_t begin = begin_of_last_lines(written, last);
  ARENAD_ASSERT(begin <= written.size() && (begin == 0 || begin == written.size() || written[begin - 1] == '\n'));
}

std::vector<std::string> seeds() {
  return {Input().number(uint8_t{2}).number(uint16_t{4096}).bytes("one\ntwo\r\nLx\nend").text(),
          Input().number(uint8_t{1}).number(uint16_t{4097}).bytes("L\n\nL").text(),
          Input().number(uint8_t{0}).number(uint16_t{8192}).bytes("Lx\nL\n").text()};
}

}  // namespace

extern const Harness output_lines_harness;
const Harness output_lines_harness{
    run, seeds, {"L", "\n", "\r\n", std::string("\x00\x10", 2), "\x01\x10", std::string("\x00\x20", 2)}, 64};

}  // namespace arenad::fuzz
