// What a match's beginning, its end and a network that comes and goes look like: many clients at once, each of which maps what the arena shares.
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/patience.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kFlood = "client.flood";
constexpr size_t kFloodProcesses = 10;
constexpr size_t kClientsOfOne = 20;
constexpr uint64_t kAttachPatienceMs = 10'000;

struct Flood {
  std::vector<ChildProcess> processes;
  Fd attached;  // a byte for each client that has attached, each time
  size_t count = 0;
};

struct FloodClient {
  std::unique_ptr<Client> client;
  std::unique_ptr<Attachment> attachment;
};

// Observers of one arena after the other: all come, and then one goes and comes again, without end.
void pour(const std::string& socket, const std::vector<std::string>& arenas, size_t first, int tell) {
  std::vector<FloodClient> clients(kClientsOfOne);
  for (size_t i = 0;; ++i) {
    FloodClient& one = clients[i % clients.size()];
    one.attachment.reset();
    one.client.reset();
    auto client = Client::connect(socket);
    if (!client) continue;
    // An arena may have no more room for observers.
    auto attached =
        (*client)->attach({.arena = arenas[(first + i) % arenas.size()], .player = "", .observer = true}, kAttachPatienceMs);
    if (!attached) continue;
    one = {std::move(*client), std::move(*attached)};
    if (::write(tell, "", 1) != 1 && i >= clients.size()) ::usleep(1000);
  }
}

// Counts what has come since.
size_t attached_clients(Flood& flood) {
  char bytes[256];
  for (ssize_t got = 0; (got = ::read(flood.attached.get(), bytes, sizeof bytes)) > 0;) flood.count += static_cast<size_t>(got);
  return flood.count;
}

}  // namespace

Fault client_flood() {
  return {
      .name = kFlood,
      .does = "Ten processes with twenty observers each attach at once, go and come without end, and are killed all at once",
      .holds = "no arena waits for any of them, everyone else is answered, and nothing of them is left",
      .alone = true,
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("cannot make a pipe");
        auto flood = std::make_shared<Flood>();
        flood->attached = Fd(ends[0]);
        const Fd tells(ends[1]);
        std::vector<std::string> arenas;
        for (const Stage::Arena& arena : stage.arenas()) arenas.push_back(arena.name);
        for (size_t i = 0; i < kFloodProcesses; ++i) {
          auto process = ChildProcess::fork_for([&] { pour(stage.rig().socket(), arenas, i, tells.get()); });
          if (!process) return process.error();
          flood->processes.push_back(std::move(*process));
        }
        stage.prop(kFlood, strike.arena) = flood;
        return {};
      },
      .fired =
          [](const Stage& stage, const Strike& strike) {
            const auto flood = std::static_pointer_cast<Flood>(stage.prop(kFlood, strike.arena));
            return flood != nullptr && attached_clients(*flood) >= 2 * kFloodProcesses * kClientsOfOne;
          },
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        const auto flood = std::static_pointer_cast<Flood>(stage.prop(kFlood, strike.arena));
        for (ChildProcess& process : flood->processes) process.signal(SIGKILL);
        stage.prop(kFlood, strike.arena).reset();
        return {};
      },
      .heal_after_ms = 500,
      .settled =
          [](Stage& stage, const Strike& strike) {
            // Only the player is there.
            const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
            return status && status->clients <= 1;
          }};
}

}  // namespace arenad::chaos
