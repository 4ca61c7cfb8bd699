#include "chaos/death_reports.h"

#include "ipc/crash.capnp.h"

namespace arenad::chaos {
namespace {

ToldDeath told_in(wire::Incident::Reader from) {
  return {.id = from.getId(),
          .epoch = from.getEpoch(),
          .pid = static_cast<pid_t>(from.getPid()),
          .detect_ms = from.getDetectMs(),
          .heard_ns = from.getHeardNs(),
          .recovery_ms = from.getRecoveryMs(),
          .start_ms = from.getStartMs(),
          .load_ms = from.getLoadMs(),
          .replay_ms = from.getReplayMs(),
          .overtaken_by = from.getOvertakenBy()};
}

}  // namespace

std::optional<std::vector<ToldDeath>> DeathReports::ask(ArenaId arena) {
  auto answer = arenad_.ask([&](wire::Request::Builder request) {
    auto query = request.initCrashes();
    query.initSelection().initArenas(1).set(0, arena.text());
    query.setLimit(kReportsOfAnArena);
  });
  if (!answer) return std::nullopt;
  std::vector<ToldDeath> deaths;
  for (const auto incident : answer->root().getReply().getCrashes()) deaths.push_back(told_in(incident));
  return deaths;
}

}  // namespace arenad::chaos
