// A worker's outputs and results that no game has given: its own code may write what it likes where others read.
#include <algorithm>
#include <csignal>
#include <exception>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/guest_arena.h"
#include "chaos/faults/guest_process.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/worker_region.h"
#include "ipc/record.h"

namespace arenad::chaos {
namespace {

constexpr const char* kStreamsForged = "memory.streams_forged";
constexpr useconds_t kForgedUs = 150'000;
constexpr uint64_t kWords = 4;

// Of the status.
struct Stream {
  Place ring;
  uint64_t published;
  uint64_t reserved;
};

uint64_t at(size_t in_status) {
  return kStatusOffset + in_status;
}

// One record more, as no worker writes it.
void forge(const test::WorkerMemory& memory, const Stream& stream, Random& random) {
  const auto end = memory.get<uint64_t>(stream.published);
  RecordHeader header{};
  header.bytes = static_cast<uint32_t>(record_bytes(kWords));
  header.sequence = random.next();
  uint64_t forged_end = end + header.bytes;
  switch (random.below(8)) {
    case 0:
      header.bytes = UINT32_MAX - 7;  // longer than the ring
      break;
    case 1:
      header.bytes = 0;
      break;
    case 2:
      header.sequence = 1;
      break;
    case 3:
      header.party = random.next();  // seats that there are not
      break;
    case 4:
      forged_end = end + 4;
      break;
    case 5:
      forged_end = end + 2 * stream.ring.bytes;
      break;
    case 6:
      forged_end = end / 16 * 8;
      break;
    default:
      forged_end = random.next();
      break;
  }
  const std::string body = random_bytes(random, kWords * sizeof(uint64_t));
  // Rings are written through their second mapping where they wrap; here what would wrap is left out.
  const uint64_t offset = end % stream.ring.bytes;
  if (offset + record_bytes(kWords) <= stream.ring.bytes) {
    memory.put(stream.ring.offset + offset, header);
    memory.write(stream.ring.offset + offset + kRecordHeaderBytes, std::as_bytes(std::span(body)));
  }
  memory.put(stream.reserved, std::max(memory.get<uint64_t>(stream.reserved), forged_end));
  memory.put(stream.published, forged_end);
}

Result<void> forge_both(Stage& stage, pid_t worker, uint64_t draw) {
  if (::kill(worker, SIGSTOP) != 0) return errno_error("cannot stop the worker");
  auto done = wait_until(stage, "that the worker stands still", [&] { return state_of(worker) == 'T' || !lives(worker); });
  try {
    if (done) {
      const test::WorkerMemory memory(worker);
      Random random(draw, "streams");
      forge(memory,
            {memory.identity().outputs, at(offsetof(WorkerStatus, outputs_published)),
             at(offsetof(WorkerStatus, outputs_reserved))},
            random);
      forge(
          memory,
          {memory.identity().system, at(offsetof(WorkerStatus, system_published)), at(offsetof(WorkerStatus, system_reserved))},
          random);
      ::usleep(kForgedUs);
    }
  } catch (const std::exception& error) {
    done = make_error(ErrorCode::failed, error.what());
  }
  ::kill(worker, SIGCONT);
  return done;
}

}  // namespace

Fault memory_streams_forged() {
  return {.name = kStreamsForged,
          .does =
              "The worker of another arena says that it has given outputs and results which are none: too long, of seats that "
              "there are not, out of order, beyond the end",
          .holds = "neither arenad nor a client of that arena ends; no match notices, and the other arena can be stopped",
          .alone = true,
          .missing = [](const Stage& stage) -> std::string {
            if (auto missing = without_ledger(stage); !missing.empty()) return missing;
            return cannot_write_memory(stage);
          },
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto guest = GuestArena::start(stage, {{"hz", "50"}});
            if (!guest) return guest.error();
            auto observer = guest_process(stage, (*guest)->name());
            if (!observer) return observer.error();
            auto status = (*guest)->wait_for("its worker", [](const sweep::ArenaStatus& one) { return one.pid > 0; });
            if (!status) return status.error();
            if (auto forged = forge_both(stage, status->pid, strike.draw); !forged) return forged;
            const auto after = (*guest)->wait_for("that arenad tells of it", [](const sweep::ArenaStatus&) { return true; });
            const auto stopped = (*guest)->stop();
            // It leaves in order when the arena is gone.
            const auto exit = observer->wait(5000);
            std::string wrong;
            if (!after) wrong = after.error().message;
            if (!stopped) wrong = stopped.error().message;
            if (!exit || exit->how != Exit::How::exited || exit->value != 0)
              wrong = "the client of that arena " +
                      (exit ? "ended: " + exit->text() : std::string("has not heard that it is gone"));
            keep_finding(stage, kStreamsForged, strike, std::move(wrong));
            return {};
          },
          .check = kept_finding(kStreamsForged)};
}

}  // namespace arenad::chaos
