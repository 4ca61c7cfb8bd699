// A line that a worker, and with it game code, has written (ipc/output_line.h).
#include "ipc/output_line.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const std::string_view line = input.substr(0, input.find('\n'));
  const OutputLine parsed = parse_output_line(line);
  ARENAD_ASSERT(parsed.priority >= 0 && parsed.priority <= 7);
  ARENAD_ASSERT(parsed.unix_ns.has_value() == parsed.frame.has_value());
  // The text is the end of the line.
  ARENAD_ASSERT(parsed.text.size() <= line.size() && parsed.text.data() + parsed.text.size() == line.data() + line.size());
  if (!parsed.frame) return;
  std::string written = write_output_line(parsed);
  ARENAD_ASSERT(written.ends_with('\n'));
  written.pop_back();
  ARENAD_ASSERT(parse_output_line(written) == parsed);
}

std::vector<std::string> seeds() {
  return {"<6>@1732809808123456789 4711 the text", "<3>the text", "the text", "<7>@1 2 ", "<0>@18446744073709551615 0 x"};
}

}  // namespace

extern const Harness output_line_harness;
const Harness output_line_harness{run, seeds, {"<6>@", "<0>", " ", "18446744073709551616"}, 128};

}  // namespace arenad::fuzz
