// A crash report out of the database (ipc/crash.capnp), as arenactl shows it: what a game could put into it must do nothing to a terminal.
#include "arenad/message.h"
#include "cli/crash_page.h"
#include "fuzz/harness.h"
#include "fuzz/messages.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const auto words = words_of(input);
  std::string page;
  try {
    MessageView view(words.data(), words.size());
    page = cli::render_crash_page(view.root<wire::Crash>(), nullptr, cli::Colour::none);
  } catch (const kj::Exception&) {
    return;
  }
  ARENAD_ASSERT(std::all_of(page.begin(), page.end(), [](unsigned char c) { return c == '\n' || (c >= ' ' && c != 0x7F); }));
}

std::vector<std::string> seeds() {
  return {segment<wire::Crash>([](auto crash) {
            auto incident = crash.initIncident();
            incident.setId(1);
            incident.setName("duel");
            incident.setGame("tanks");
            incident.setCause("signal=SEGV, address 0x10 is not mapped");
            incident.setSignal(11);
            incident.setAddress(16);
            incident.setHasAddress(true);
            incident.setChannel(3);
            incident.setPlayer("anna\x1b[31m");
            incident.setTookMs(1200);
            incident.setQuarantined(2);
            auto stack = crash.initStack(2);
            stack[0].setAddress(0x1234);
            stack[0].setObject("/usr/lib/tanks.so");
            stack[0].setBuildId("abcdef");
          }),
          segment<wire::Crash>([](auto crash) { crash.initIncident().setExitCode(3); })};
}

}  // namespace

extern const Harness crash_report_harness;
const Harness crash_report_harness{run, seeds, {}, 1024};

}  // namespace arenad::fuzz
