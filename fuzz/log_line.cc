// Lines of the log (supervisor/log_line.h): what games and players put into them must stay where it was put.
#include "supervisor/log_line.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
}

void run(std::string_view input) {
  Source source(input);
  const std::string_view name = source.sized();
  const std::string_view text = source.sized();
  (void)parse_log_line(source.rest());

  const std::string written = "arena=" + log_value(name) + " epoch=3 frame=17 msg=\"" + log_quoted(text) + "\"";
  ARENAD_ASSERT(!has_control_bytes(written));
  const LogLine line = parse_log_line(written);
  ARENAD_ASSERT(line.game.empty() && line.source.empty() && line.signature.empty() && line.pid == 0);
  ARENAD_ASSERT(line.epoch == 3 && line.frame == 17);
  // What it says, written once more, is the same, and so it is whole.
  ARENAD_ASSERT(log_value(line.arena) == log_value(parse_log_line("arena=" + log_value(line.arena) + " msg=\"\"").arena));
  ARENAD_ASSERT(line.text.size() >= text.size() || text.find('\n') != std::string_view::npos);
  ARENAD_ASSERT(parse_log_line("arena=" + log_value("duel") + " msg=\"" + log_quoted(text) + "\"").text == line.text);
}

std::vector<std::string> seeds() {
  return {Input().sized("duel").sized("its worker has died: \"bad\"").bytes("arena=duel epoch=3 pid=4711 msg=\"x\\\"\"").text(),
          Input().sized("a \"b\" c").sized("\n\x1b[31m").bytes("game=tanks source=worker other=\"a b\" msg=\"\"").text(),
          Input().sized("\\").sized("\\\" frame=9").bytes("signature=SIGSEGV frame=x msg=\"").text()};
}

}  // namespace

extern const Harness log_line_harness;
const Harness log_line_harness{
    run, seeds, {"arena=", "game=", "epoch=", "frame=", "pid=", "source=", "signature=", "msg=\"", "\\\"", "\\", "\" "}, 512};

}  // namespace arenad::fuzz
