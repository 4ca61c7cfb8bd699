// A worker that stands still cannot offer itself to the next arenad, and is not dead either: it may go on at any moment. So the
// next arenad ends it, and waits for its end, before another one may write.
#include <csignal>
#include <memory>
#include <utility>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

constexpr const char* kStoppedWhileArenadDies = "worker.stopped_while_arenad_dies";

}  // namespace

Fault worker_stopped_while_arenad_dies() {
  return {
      .name = kStoppedWhileArenadDies,
      .does = "SIGSTOP to the arena's worker and SIGKILL to arenad; SIGCONT to that worker when it has a successor",
      .holds = "the next arenad ends it, and starts no successor before it is dead: nobody wakes up",
      .worker = Ends::must,
      .arenad = Ends::must,
      .told = "it left no trace",
      .rungs = {"newest slot"},
      .stops_workers = true,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto process = open_pidfd(strike.worker);
        if (!process) return process.error();
        if (auto stopped = signal_worker(stage, strike.arena, SIGSTOP); !stopped) return stopped;
        stage.prop(kStoppedWhileArenadDies, strike.arena) = std::make_shared<Fd>(std::move(*process));
        return signal_arenad(stage, SIGKILL);
      },
      .fired = [](const Stage& stage, const Strike& strike) { return stage.arenas()[strike.arena].worker != strike.worker; },
      // Whether there are two of them then is seen in every run (checkers/one_writer.cc).
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        if (const auto process =
                std::static_pointer_cast<Fd>(std::exchange(stage.prop(kStoppedWhileArenadDies, strike.arena), {})))
          send_signal(*process, SIGCONT);
        return {};
      }};
}

}  // namespace arenad::chaos
