#include "chaos/faults/guest_process.h"

#include <fcntl.h>
#include <unistd.h>

#include "arenad/client.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kAttachNs = 10 * kSecond;

// Says one byte when it is attached.
void observe(const std::string& socket, const std::string& arena, int tell) {
  std::unique_ptr<Client> client;
  std::unique_ptr<Attachment> attached;
  // arenad may be on its way.
  for (const uint64_t deadline_ns = monotonic_ns() + kAttachNs; !attached; ::usleep(10'000)) {
    if (monotonic_ns() > deadline_ns) return;
    if (auto connected = Client::connect(socket)) {
      client = std::move(*connected);
      if (auto done = client->attach({.arena = arena, .player = "", .observer = true})) attached = std::move(*done);
    }
  }
  if (::write(tell, "", 1) != 1) return;
  for (;;) {
    const Incoming incoming = attached->receive();
    if (incoming == Incoming::gone || incoming == Incoming::disconnected) return;
    if (incoming == Incoming::none) attached->wait(100);
  }
}

}  // namespace

Result<ChildProcess> guest_process(Stage& stage, size_t arena) {
  return guest_process(stage, stage.arenas()[arena].name);
}

Result<ChildProcess> guest_process(Stage& stage, const std::string& arena) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("cannot make a pipe");
  const Fd hears(ends[0]);
  Fd tells(ends[1]);
  auto process = ChildProcess::fork_for([&] { observe(stage.rig().socket(), arena, tells.get()); });
  if (!process) return process.error();
  tells.reset();
  const uint64_t deadline_ns = monotonic_ns() + kAttachNs;
  for (char byte = 0;;) {
    const ssize_t got = ::read(hears.get(), &byte, 1);
    if (got == 1) return std::move(*process);
    if (got == 0) return make_error(ErrorCode::unreachable, "the guest could not attach");
    if (monotonic_ns() > deadline_ns || stage.is_called_off())
      return make_error(ErrorCode::timeout, "the guest did not attach in time");
    stage.turn();
  }
}

}  // namespace arenad::chaos
