// What arenad reads of a worker that lives may be anything at any moment. The worker has all of it in its own memory too, and writes it anew.
#include <csignal>
#include <exception>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

// From the frames on, with all that is counted; where its streams end lies before that.
constexpr uint64_t kLiesFrom = kStatusOffset + offsetof(WorkerStatus, frame_decided);
constexpr uint64_t kLiesTo = kStatusOffset + offsetof(WorkerStatus, rung);
// arenad looks at every worker each 50 ms.
constexpr useconds_t kLiesUs = 150'000;

}  // namespace

Fault memory_status_lies_for_a_moment() {
  return {
      .name = "memory.status_lies_for_a_moment",
      .does =
          "Frames, beats and counters in the shared memory of the arena's worker, which is stopped, become random for a moment",
      .holds = "arenad lives; it may end the worker, and nothing else",
      .worker = Ends::may,
      .stops_workers = true,
      .missing = cannot_write_memory,
      .prepare = stop_with_two_snapshots,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        const pid_t worker = stage.arenas()[strike.arena].worker;
        Result<void> done;
        try {
          const test::WorkerMemory memory(worker);
          Random random(strike.draw, "status");
          const auto before = memory.read(kLiesFrom, kLiesTo - kLiesFrom);
          const std::string lies = random_bytes(random, before.size());
          memory.write(kLiesFrom, std::as_bytes(std::span(lies)));
          // Players do not look meanwhile, and nobody asks arenad what it makes of it.
          ::usleep(kLiesUs);
          memory.write(kLiesFrom, before);
        } catch (const std::exception& error) {
          done = make_error(ErrorCode::failed, error.what());
        }
        ::kill(worker, SIGCONT);
        return done;
      },
      .plays_on = 5};
}

}  // namespace arenad::chaos
