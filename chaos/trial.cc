#include "chaos/trial.h"

#include "chaos/judge.h"
#include "chaos/replay_run.h"
#include "examples/tanks/wire.h"

namespace arenad::chaos {
namespace {

Ending ending_of(const ArenaObserver& observer) {
  const auto& departure = observer.departure();
  return departure && departure->state == "ended" ? Ending::match_over : Ending::stopped;
}

uint64_t divergences_of(const ArenaObserver& observer) {
  uint64_t sum = 0;
  for (const Life& life : observer.lives()) sum += life.divergences;
  return sum;
}

}  // namespace

Findings try_arena(const Programs& programs, const std::filesystem::path& folder, const ArenaObserver& observer,
                   std::span<const std::filesystem::path> logs) {
  Findings findings;
  std::vector<ClientLog> clients;
  auto take_log = [&](const std::filesystem::path& path) {
    auto log = read_client_log(path);
    if (log) {
      clients.push_back(std::move(*log));
    } else {
      findings.problem(log.error().text());
    }
  };
  for (const auto& log : logs) take_log(log);
  take_log(observer.log_path());

  auto recording = make_recording(observer.arena(), observer.history(), clients);
  auto replay = recording ? run_replay(programs, folder, *recording, code_history(observer.lives(), programs.versions))
                          : Result<Replay>(recording.error());
  if (!replay) {
    findings.problem(replay.error().text());
    return findings;
  }
  const WorkerStatus* status = observer.status();
  if (status == nullptr) {
    findings.problem(observer.arena().name + " was never seen");
    return findings;
  }
  return findings += judge({.arena = observer.arena().name,
                            .history = observer.history(),
                            .clients = clients,
                            .replay = *replay,
                            .ending = ending_of(observer),
                            .finishing_type = capnp::typeId<tanks::Finished>(),
                            .events_applied = status->events_applied.load(),
                            .events_rejected = status->events_rejected.load(),
                            .divergences = divergences_of(observer)});
}

}  // namespace arenad::chaos
