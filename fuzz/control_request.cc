// What comes on the control socket: framing (ipc/control_stream.h), and all that is made of a request before anybody is asked for anything.
#include "fuzz/harness.h"
#include "fuzz/messages.h"
#include "ipc/control_stream.h"
#include "ipc/limits.h"
#include "ipc/request_limits.h"
#include "supervisor/access.h"
#include "supervisor/request_kind.h"

namespace arenad::fuzz {
namespace {

void judge(wire::Request::Reader request) {
  const auto checked = check_request(request);
  const RequestKind kind = kind_of(request);
  ARENAD_ASSERT(kind.verb != nullptr && *kind.verb != '\0');
  (void)right_for(request);
  const std::string subject = subject_of(request);
  // One long text, and what stands before and behind it.
  if (checked) ARENAD_ASSERT(subject.size() <= limits::kMaxControlMessageBytes);
}

void run(std::string_view input) {
  constexpr size_t kLargest = 64 * 1024;
  ControlStream stream(Fd(), kLargest);
  stream.restore_received(kj::arrayPtr(reinterpret_cast<const kj::byte*>(input.data()), input.size()), {});
  try {
    while (const auto message = stream.next()) judge(message->root<wire::Request>());
    // All that is whole was taken.
    ARENAD_ASSERT(!stream.has_next());
    ARENAD_ASSERT(stream.broken() || stream.received().bytes.size() <= kLargest);
  } catch (const kj::Exception&) {
    return;  // the connection is cut off
  }
}

std::vector<std::string> seeds() {
  const auto select = [](wire::Selection::Builder selection) {
    auto arenas = selection.initArenas(2);
    arenas.set(0, "duel-*");
    arenas.set(1, "game:tanks");
  };
  const std::string status = framed<wire::Request>([&](auto to) {
    to.setId(1);
    select(to.initStatus());
  });
  return {status + status,
          framed<wire::Request>([&](auto to) { select(to.initDrain().initSelection()); }),
          framed<wire::Request>([&](auto to) {
            auto start = to.initStart();
            start.setGame("tanks");
            start.setName("duel");
          }),
          framed<wire::Request>([&](auto to) { to.initQuarantineRetry(2).set(0, 17); }),
          framed<wire::Request>([&](auto to) {
            auto reload = to.initReload();
            reload.setGame("tanks");
            reload.setFile("tanks.so");
            reload.initArenas(1).set(0, "duel");
          }),
          framed<wire::Request>([&](auto to) {
            auto events = to.initEvents();
            select(events.initSelection());
            events.initTypes(1).set(0, "arena.started");
          }),
          framed<wire::Request>([&](auto to) {
            auto results = to.initResultPage();
            results.setGame("tanks");
            results.setHasBefore(true);
            results.initBefore().setRow(7);
          }),
          framed<wire::Request>([&](auto to) {
            to.setFds(1);
            auto attach = to.initAttach();
            attach.setArena("duel");
            attach.setPlayer("anna");
          }),
          framed<wire::Request>([&](auto to) { to.initSignal().setNumber(9); })};
}

}  // namespace

extern const Harness control_request_harness;
const Harness control_request_harness{run, seeds, {}, 1024};

}  // namespace arenad::fuzz
