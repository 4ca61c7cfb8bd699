#include "tests/real/reports.h"

#include <doctest/doctest.h>

#include "ipc/crash.capnp.h"
#include "ipc/text.h"
#include "tests/support/why_not.h"

namespace arenad::test {
namespace {

const char* word_of(wire::IncidentKind kind) {
  switch (kind) {
    case wire::IncidentKind::CRASH:
      return "crash";
    case wire::IncidentKind::EXIT:
      return "exit";
    case wire::IncidentKind::KILLED:
      return "killed";
    case wire::IncidentKind::OUT_OF_MEMORY:
      return "out_of_memory";
    case wire::IncidentKind::HANG:
      return "hang";
    case wire::IncidentKind::SLOW:
      return "slow";
  }
  return "?";
}

Report report_of(wire::Incident::Reader from) {
  Report report;
  report.id = from.getId();
  report.name = text_of(from.getName());
  report.game_version = text_of(from.getGameVersion());
  report.build_id = text_of(from.getBuildId());
  report.epoch = from.getEpoch();
  report.frame = from.getFrame();
  report.kind = word_of(from.getKind());
  report.cause = text_of(from.getCause());
  report.signal = from.getSignal();
  report.exit_code = from.getExitCode();
  report.address = from.getAddress();
  report.has_address = from.getHasAddress();
  report.phase = text_of(from.getPhase());
  report.sequence = from.getSequence();
  report.player = text_of(from.getPlayer());
  report.took_ms = from.getTookMs();
  report.recovery_ms = from.getRecoveryMs();
  report.start_ms = from.getStartMs();
  report.load_ms = from.getLoadMs();
  report.replay_ms = from.getReplayMs();
  report.detect_ms = from.getDetectMs();
  report.overtaken_by = from.getOvertakenBy();
  report.rung = from.getRung();
  report.replayed_frames = from.getReplayedFrames();
  report.replayed_events = from.getReplayedEvents();
  report.ticks_lost = from.getTicksLost();
  report.quarantined = from.getQuarantined();
  return report;
}

Quarantined entry_of(wire::QuarantinedEvent::Reader from) {
  return {from.getId(), text_of(from.getPlayer()), from.getSequence(), from.getType(), from.getIncident(), {}, 0};
}

ControlIncoming answer_to(const Daemon& daemon, const std::function<void(wire::Request::Builder)>& fill) {
  auto client = daemon.connect();
  auto answer = client.call(fill, {}, kPatienceMs);
  REQUIRE_MESSAGE(answer.ok(), why_not(answer));
  return std::move(*answer);
}

Result<std::string> only_item(const ControlIncoming& answer) {
  const auto items = answer.root().getReply().getItems();
  REQUIRE(items.size() == 1);
  if (items[0].isOk()) return text_of(items[0].getOk());
  return make_error(ErrorCode::failed, text_of(items[0].getError().getMessage()));
}

}  // namespace

std::vector<Report> crashes(const Daemon& daemon, const std::string& arena, SlowFrames slow) {
  const auto answer = answer_to(daemon, [&](wire::Request::Builder request) {
    auto query = request.initCrashes();
    select_one(query.initSelection(), arena);
    query.setSlow(slow == SlowFrames::included);
  });
  std::vector<Report> reports;
  for (const auto incident : answer.root().getReply().getCrashes()) reports.push_back(report_of(incident));
  return reports;
}

Report crash(const Daemon& daemon, uint64_t id) {
  const auto answer = answer_to(daemon, [&](wire::Request::Builder request) { request.setCrash(id); });
  const auto from = answer.root().getReply().getCrash();
  Report report = report_of(from.getIncident());
  for (const auto frame : from.getStack()) {
    report.stack.push_back({text_of(frame.getObject()), text_of(frame.getBuildId()), frame.getOffset()});
  }
  for (const auto line : from.getScript()) report.script.push_back(text_of(line));
  return report;
}

std::vector<Quarantined> quarantine(const Daemon& daemon) {
  const auto answer = answer_to(daemon, [](wire::Request::Builder request) { request.initQuarantine().setAll(true); });
  std::vector<Quarantined> entries;
  for (const auto event : answer.root().getReply().getQuarantine()) entries.push_back(entry_of(event));
  return entries;
}

Quarantined quarantined(const Daemon& daemon, uint64_t id) {
  const auto answer = answer_to(daemon, [&](wire::Request::Builder request) { request.setQuarantined(id); });
  const auto from = answer.root().getReply().getQuarantined();
  Quarantined entry = entry_of(from.getEvent());
  entry.message.assign(from.getMessage().asChars().begin(), from.getMessage().size());
  entry.schema_bytes = from.getSchema().size();
  return entry;
}

Result<std::string> retry(const Daemon& daemon, uint64_t id) {
  return only_item(answer_to(daemon, [&](wire::Request::Builder request) { request.initQuarantineRetry(1).set(0, id); }));
}

Result<std::string> drop(const Daemon& daemon, uint64_t id) {
  return only_item(answer_to(daemon, [&](wire::Request::Builder request) { request.initQuarantineDrop(1).set(0, id); }));
}

void misbehave(Player& player, const Wish& wish) {
  const Sent sent = player.arena().send<echo::Misbehave>([&](echo::Misbehave::Builder to) {
    to.setHow(wish.how);
    to.setWhileFile(wish.while_file);
    to.setMs(wish.ms);
    to.setOnce(wish.times == Wish::Times::once);
    to.setInTick(wish.when == Wish::When::in_tick);
  });
  REQUIRE(sent == Sent::ok);
}

}  // namespace arenad::test
