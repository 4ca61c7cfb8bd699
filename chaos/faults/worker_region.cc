#include "chaos/faults/worker_region.h"

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <unistd.h>

#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// Less than what a worker may stand still.
constexpr uint64_t kStopNs = 500 * kMillisecond;

bool has_two_snapshots(const test::WorkerMemory& memory) {
  const auto newest = memory.frame_of(memory.newest());
  const auto older = memory.frame_of(memory.older());
  return newest && older && *older != 0 && *older < *newest;
}

// Whether it is stopped with two snapshots; otherwise it goes on.
bool stops(pid_t worker) {
  if (worker <= 0 || ::kill(worker, SIGSTOP) != 0) return false;
  const uint64_t deadline_ns = monotonic_ns() + kStopNs;
  while (state_of(worker) != 'T') {
    if (!lives(worker)) return false;
    if (monotonic_ns() > deadline_ns) break;
    ::usleep(100);
  }
  try {
    if (has_two_snapshots(test::WorkerMemory(worker))) return true;
  } catch (const std::exception&) {  // it has ended meanwhile
  }
  ::kill(worker, SIGCONT);
  return false;
}

}  // namespace

std::string cannot_write_memory(const Stage& stage) {
  for (const Stage::Arena& arena : stage.arenas()) {
    if (arena.worker <= 0) continue;
    const std::string memory = "/proc/" + std::to_string(arena.worker) + "/mem";
    const Fd file(::open(memory.c_str(), O_RDWR | O_CLOEXEC));
    const int error = errno;
    if (file) return "";
    // Of one that is ending nothing can be said.
    if ((error != EACCES && error != EPERM) || !lives(arena.worker)) continue;
    return "the memory of a worker cannot be opened: it takes root, or the workers' user and a kernel that lets it";
  }
  return "";
}

Result<void> stop_with_two_snapshots(Stage& stage, const Strike& strike) {
  Stage::Arena& arena = stage.arenas()[strike.arena];
  return wait_until(stage, "a worker with two snapshots", [&] {
    if (stops(arena.worker)) return true;
    let_say_more(arena);
    for (int i = 0; i < 10; ++i) stage.turn();
    return false;
  });
}

Result<void> damage_and_kill(Stage& stage, const Strike& strike, const Damage& damage, Dies dies) {
  const pid_t worker = stage.arenas()[strike.arena].worker;
  Random random(strike.draw, "damage");
  Result<void> done;
  try {
    damage(test::WorkerMemory(worker), random);
  } catch (const std::exception& error) {
    // It, or the one whose memory is to be taken, has ended meanwhile: the next one is struck.
    ::kill(worker, SIGCONT);
    return make_error(ErrorCode::unreachable, error.what());
  }
  if (dies == Dies::worker_and_arenad) {
    if (auto killed = signal_arenad(stage, SIGKILL); !killed) done = killed;
  }
  ::kill(worker, SIGKILL);
  return done;
}

void flip_in_snapshot(const test::WorkerMemory& memory, int slot, uint64_t begin, uint64_t end, Random& random) {
  memory.flip(memory.snapshot(slot) + begin + random.below(end - begin), static_cast<unsigned>(random.below(8)));
}

}  // namespace arenad::chaos
