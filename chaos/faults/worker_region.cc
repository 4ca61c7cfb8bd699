#include "chaos/faults/worker_region.h"

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include "chaos/faults/signals.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// Far beyond what it takes; the arena may be recovering from something else.
constexpr uint64_t kPatienceNs = 20 * kSecond;
// Less than what a worker may stand still.
constexpr uint64_t kStopNs = 500 * kMillisecond;

bool is_stopped(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] == 'T';
}

bool has_two_snapshots(const test::WorkerMemory& memory) {
  const auto newest = memory.frame_of(memory.newest());
  const auto older = memory.frame_of(memory.older());
  return newest && older && *older != 0 && *older < *newest;
}

// Whether it is stopped with two snapshots; otherwise it goes on.
bool stops(pid_t worker) {
  if (worker <= 0 || ::kill(worker, SIGSTOP) != 0) return false;
  const uint64_t deadline_ns = monotonic_ns() + kStopNs;
  while (!is_stopped(worker)) {
    if (::kill(worker, 0) != 0) return false;
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
    if (file || errno == ENOENT) return "";
    return "the memory of a worker cannot be opened: it takes root, or the workers' user and a kernel that lets it";
  }
  return "";
}

Result<pid_t> stop_with_two_snapshots(Stage& stage, size_t arena) {
  const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
  while (monotonic_ns() < deadline_ns) {
    const pid_t worker = stage.arenas()[arena].worker;
    if (stops(worker)) return worker;
    // An arena without ticks has a frame only when something is said.
    stage.arenas()[arena].limit = stage.arenas()[arena].player->said() + 1;
    for (int i = 0; i < 10; ++i) stage.turn();
  }
  return make_error(ErrorCode::timeout, "the worker did not come to have two snapshots");
}

Result<void> damage_and_kill(Stage& stage, const Strike& strike, const Damage& damage, Dies dies) {
  auto worker = stop_with_two_snapshots(stage, strike.arena);
  if (!worker) return worker.error();
  Random random(strike.draw, "damage");
  Result<void> done;
  try {
    damage(test::WorkerMemory(*worker), random);
  } catch (const std::exception& error) {
    done = make_error(ErrorCode::failed, error.what());
  }
  if (dies == Dies::worker_and_arenad) {
    if (auto killed = signal_arenad(stage, SIGKILL); !killed) done = killed;
  }
  ::kill(*worker, SIGKILL);
  return done;
}

void flip_in_snapshot(const test::WorkerMemory& memory, int slot, uint64_t begin, uint64_t end, Random& random) {
  memory.flip(memory.snapshot(slot) + begin + random.below(end - begin), static_cast<unsigned>(random.below(8)));
}

}  // namespace arenad::chaos
