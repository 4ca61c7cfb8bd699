#include "chaos/death_reports.h"

#include "ipc/clock.h"
#include "ipc/crash.capnp.h"

namespace arenad::chaos {
namespace {

// Its disk may be slow, and players play on.
constexpr uint64_t kPatienceForReportsMs = 200;
constexpr uint64_t kSilenceAboutReportsNs = 2 * kSecond;

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
  if (monotonic_ns() < silent_until_ns_) return std::nullopt;
  if (!control_) {
    auto connected = ControlClient::connect(socket_);
    if (!connected) return std::nullopt;
    control_.emplace(std::move(*connected));
  }
  auto answer = control_->call(
      [&](wire::Request::Builder request) {
        auto query = request.initCrashes();
        query.initSelection().initArenas(1).set(0, arena.text());
        query.setLimit(kReportsOfAnArena);
      },
      {}, kPatienceForReportsMs);
  if (!answer) {
    if (answer.error().code == ErrorCode::timeout) silent_until_ns_ = monotonic_ns() + kSilenceAboutReportsNs;
    control_.reset();
    return std::nullopt;
  }
  std::vector<ToldDeath> deaths;
  for (const auto incident : answer->root().getReply().getCrashes()) deaths.push_back(told_in(incident));
  return deaths;
}

}  // namespace arenad::chaos
