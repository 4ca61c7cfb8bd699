// What is written of an incident reads back with every field.
#include "supervisor/crash_report.h"

#include <csignal>
#include <cstring>
#include <vector>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "ipc/crash.capnp.h"
#include "ipc/limits.h"
#include "supervisor/crash_signature.h"
#include "tests/support/crash_before.capnp.h"

namespace {

using namespace arenad;

// The report, checked as its one segment.
class Report {
 public:
  explicit Report(const IncidentRecord& record) : words_(record.report.size() / sizeof(capnp::word)) {
    REQUIRE(record.report.size() % sizeof(capnp::word) == 0);
    REQUIRE(record.report.size() <= limits::kMaxIncidentReportBytes);
    std::memcpy(words_.data(), record.report.data(), record.report.size());
    segments_[0] = kj::ArrayPtr<const capnp::word>(words_.data(), words_.size());
    reader_.emplace(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>(segments_, 1));
  }
  wire::Crash::Reader crash() { return reader_->getRoot<wire::Crash>(); }
  wire::Incident::Reader incident() { return crash().getIncident(); }

 private:
  std::vector<capnp::word> words_;
  kj::ArrayPtr<const capnp::word> segments_[1];
  std::optional<capnp::SegmentArrayMessageReader> reader_;
};

IncidentScene scene() {
  IncidentScene scene;
  scene.id = 101;
  scene.arena = {0x0190'0000'0000'1234, 0x5678};
  scene.name = "lake";
  scene.game = "tanks";
  scene.game_version = "1.2";
  scene.build_id = "0011aabb";
  scene.epoch = {7};
  scene.pid = 4711;
  scene.frame = {812};
  scene.phase = static_cast<uint32_t>(Phase::applying);
  scene.applying = EventRef{{31}, 977};
  scene.player = "ann";
  scene.took_ns = 1'234 * kMillisecond + 999'999;
  scene.quarantined = 55;
  return scene;
}

std::vector<TracedFrame> stack_of(size_t depth) {
  std::vector<TracedFrame> stack;
  for (uint64_t i = 0; i < depth; ++i) {
    stack.push_back(
        {0x7000 + i, i % 2 == 0 ? "/games/" + std::string(130, 'x') + std::to_string(i) : "", std::string(40, 'a'), i});
  }
  return stack;
}

DeathFacts segv() {
  DeathFacts facts;
  facts.exit = {Exit::How::signalled, SIGSEGV};
  facts.pid = 4711;
  facts.note.kind = EndKind::signal;
  facts.note.signal = SIGSEGV;
  facts.note.code = SEGV_MAPERR;
  facts.note.address = 0xBEEF;
  facts.note.stack = stack_of(kStackDepth);
  return facts;
}

void check_scene(wire::Incident::Reader incident, const IncidentScene& scene) {
  CHECK(incident.getId() == scene.id);
  CHECK(incident.getArena() == capnp::Text::Reader(scene.arena.text()));
  CHECK(incident.getName() == capnp::Text::Reader(scene.name));
  CHECK(incident.getGame() == capnp::Text::Reader(scene.game));
  CHECK(incident.getGameVersion() == capnp::Text::Reader(scene.game_version));
  CHECK(incident.getBuildId() == capnp::Text::Reader(scene.build_id));
  CHECK(incident.getEpoch() == scene.epoch.value);
  CHECK(incident.getFrame() == scene.frame.value);
  CHECK(incident.getPid() == static_cast<uint32_t>(scene.pid));
  CHECK(incident.getPhase() == phase_name(scene.phase));
  CHECK(incident.getTookMs() == scene.took_ns / kMillisecond);
  CHECK(incident.getQuarantined() == scene.quarantined);
  CHECK(incident.getChannel() == (scene.applying ? scene.applying->channel.value : 0));
  CHECK(incident.getSequence() == (scene.applying ? scene.applying->sequence : 0));
  CHECK(incident.getPlayer() == capnp::Text::Reader(scene.applying ? scene.player : ""));
}

void check_stack(wire::Crash::Reader crash, const std::vector<TracedFrame>& stack) {
  REQUIRE(crash.getStack().size() == stack.size());
  for (unsigned i = 0; i < stack.size(); ++i) {
    CHECK(crash.getStack()[i].getAddress() == stack[i].address);
    CHECK(crash.getStack()[i].getObject() == capnp::Text::Reader(stack[i].object));
    CHECK(crash.getStack()[i].getBuildId() == capnp::Text::Reader(stack[i].build_id));
    CHECK(crash.getStack()[i].getOffset() == stack[i].offset);
  }
}

}  // namespace

TEST_CASE("report: what a game says of where it was, in its own language") {
  DeathFacts facts;
  facts.exit = {Exit::How::signalled, SIGABRT};
  facts.note.script = {ScriptSource::error, {"aim (turret.script:31)", "tick (battle.script:12)"}};
  Report death(report_of_death(scene(), {}, facts));
  REQUIRE(death.crash().getScript().size() == 2);
  CHECK(std::string(death.crash().getScript()[0].cStr()) == "aim (turret.script:31)");
  CHECK(std::string(death.crash().getScript()[1].cStr()) == "tick (battle.script:12)");
  CHECK((death.crash().getScriptSource() == wire::ScriptSource::ERROR));
  SlowFrame slow;
  slow.script = {ScriptSource::stack, {"native code, holds the lock"}};
  Report of_slow(report_of_slow_frame(scene(), slow));
  REQUIRE(of_slow.crash().getScript().size() == 1);
  CHECK((of_slow.crash().getScriptSource() == wire::ScriptSource::STACK));
  Report without(report_of_slow_frame(scene(), SlowFrame{}));
  CHECK(without.crash().getScript().size() == 0);
  CHECK((without.crash().getScriptSource() == wire::ScriptSource::NONE));
}

TEST_CASE("report: a game's own lines make two deaths the same one, unless it was in native code") {
  DeathFacts facts;
  facts.exit = {Exit::How::signalled, SIGABRT};
  facts.note.stack = {{0x1000, "/srv/arena-worker", "", 0x10}};
  CHECK(crash_signature({}, facts) == "SIGABRT arena-worker+0x10");
  facts.note.script = {ScriptSource::error, {"aim (turret.script:31)", "tick (battle.script:12)"}};
  CHECK(crash_signature({}, facts) == "SIGABRT aim (turret.script:31)");
  facts.note.script.lines[0] = "native code, holds the interpreter's lock";
  CHECK(crash_signature({}, facts) == "SIGABRT arena-worker+0x10");
}

TEST_CASE("crash report: of a death, every field") {
  const auto before = static_cast<int64_t>(unix_ms());
  const IncidentRecord record = report_of_death(scene(), {IncidentKind::crash, PoisonWatch::Doing::its_own, "it fell"}, segv());
  const auto after = static_cast<int64_t>(unix_ms());
  CHECK(record.id == 101);
  CHECK(record.arena == scene().arena);
  CHECK(record.epoch == Epoch{7});
  CHECK(record.frame == FrameNumber{812});
  CHECK(record.kind == IncidentKind::crash);
  CHECK(record.at_unix_ms >= before);
  CHECK(record.at_unix_ms <= after);
  Report report(record);
  check_scene(report.incident(), scene());
  check_stack(report.crash(), segv().note.stack);
  CHECK(report.incident().getKind() == wire::IncidentKind::CRASH);
  CHECK(report.incident().getAtUnixMs() == record.at_unix_ms);
  CHECK(report.incident().getCause() == "it fell");
  CHECK(report.incident().getSignal() == SIGSEGV);
  CHECK(report.incident().getExitCode() == -1);
  CHECK(report.incident().getAddress() == 0xBEEF);
  CHECK(report.incident().getHasAddress());
}

TEST_CASE("crash report: every kind is told as it is") {
  const std::pair<IncidentKind, wire::IncidentKind> kinds[] = {
      {IncidentKind::crash, wire::IncidentKind::CRASH},   {IncidentKind::exit, wire::IncidentKind::EXIT},
      {IncidentKind::killed, wire::IncidentKind::KILLED}, {IncidentKind::out_of_memory, wire::IncidentKind::OUT_OF_MEMORY},
      {IncidentKind::hang, wire::IncidentKind::HANG},
  };
  for (const auto& [kind, wire_kind] : kinds) {
    const IncidentRecord record = report_of_death(scene(), {kind, PoisonWatch::Doing::its_own, "why"}, segv());
    CHECK(record.kind == kind);
    CHECK(Report(record).incident().getKind() == wire_kind);
  }
}

TEST_CASE("crash report: no event, an unknown phase, no stack") {
  IncidentScene bare = scene();
  bare.applying.reset();
  bare.phase = 4711;
  DeathFacts facts;
  facts.exit = {Exit::How::signalled, SIGKILL};
  Report report(report_of_death(bare, {IncidentKind::killed, PoisonWatch::Doing::from_outside, "killed"}, facts));
  check_scene(report.incident(), bare);
  check_stack(report.crash(), {});
  CHECK(report.incident().getPhase() == "unknown");
  CHECK(report.incident().getSignal() == SIGKILL);
  CHECK_FALSE(report.incident().getHasAddress());
}

TEST_CASE("crash report: signal, exit code and address are there if they are known, and only then") {
  DeathFacts facts = segv();
  uint32_t signal = SIGSEGV;
  int32_t exit_code = -1;
  bool has_address = false;
  SUBCASE("exit") {
    facts.exit = {Exit::How::exited, 3};
    facts.note = {};
    facts.note.kind = EndKind::exit;
    facts.note.exit_code = 3;
    signal = 0;
    exit_code = 3;
  }
  SUBCASE("exit of 0") {
    facts.exit = {Exit::How::exited, 0};
    facts.note = {};
    signal = 0;
    exit_code = 0;
  }
  SUBCASE("not our child, a signal") {
    facts.exit = {};
    has_address = true;
  }
  SUBCASE("not our child, an exit") {
    facts.exit = {};
    facts.note = {};
    facts.note.kind = EndKind::exit;
    facts.note.exit_code = 3;
    signal = 0;
    exit_code = 3;
  }
  SUBCASE("not our child, no note") {
    facts.exit = {};
    facts.note = {};
    signal = 0;
  }
  SUBCASE("the signal was sent: there is no address") {
    facts.note.code = SI_USER;
  }
  SUBCASE("the kernel does not know the address") {
    facts.note.code = SI_KERNEL;
  }
  SUBCASE("not a signal that has an address") {
    facts.exit.value = SIGABRT;
    facts.note.signal = SIGABRT;
    signal = SIGABRT;
  }
  SUBCASE("it died of another signal than the note is of") {
    facts.exit.value = SIGKILL;
    signal = SIGKILL;
  }
  SUBCASE("SIGBUS") {
    facts.exit.value = SIGBUS;
    facts.note.signal = SIGBUS;
    signal = SIGBUS;
    has_address = true;
  }
  Report report(report_of_death(scene(), {IncidentKind::crash, PoisonWatch::Doing::its_own, "why"}, facts));
  CHECK(report.incident().getSignal() == signal);
  CHECK(report.incident().getExitCode() == exit_code);
  CHECK(report.incident().getHasAddress() == has_address);
  CHECK(report.incident().getAddress() == (has_address ? 0xBEEF : 0));
  // Where it was is worth knowing, whatever it died of in the end.
  check_stack(report.crash(), facts.note.stack);
}

TEST_CASE("crash report: of a slow frame") {
  SlowFrame slow{3, {812}, 1'234 * kMillisecond, static_cast<uint32_t>(Phase::ticking), stack_of(5)};
  IncidentScene where = scene();
  where.phase = slow.phase;
  const IncidentRecord record = report_of_slow_frame(where, slow);
  CHECK(record.id == 101);
  CHECK(record.arena == scene().arena);
  CHECK(record.epoch == Epoch{7});
  CHECK(record.frame == FrameNumber{812});
  CHECK(record.kind == IncidentKind::slow);
  Report report(record);
  check_scene(report.incident(), where);
  check_stack(report.crash(), slow.stack);
  CHECK(report.incident().getKind() == wire::IncidentKind::SLOW);
  CHECK(report.incident().getAtUnixMs() == record.at_unix_ms);
  CHECK(report.incident().getSignal() == 0);
  CHECK(report.incident().getExitCode() == -1);
  CHECK_FALSE(report.incident().getHasAddress());
  const std::string cause = report.incident().getCause();
  CHECK(cause.find("812") != std::string::npos);
  CHECK(cause.find("1234 ms") != std::string::npos);
  CHECK(cause.find("ticking") != std::string::npos);
}

TEST_CASE("crash report: what the recovery took is added, and everything else stays") {
  DeathFacts facts;
  facts.note.stack = stack_of(3);
  const IncidentRecord death = report_of_death(scene(), judge_death(facts), facts);
  const RecoveryTimes times{.start_ns = 500'000, .parts = RecoveryTimes::Parts{750'000, 1'250'000}, .total_ns = 2'500'000};
  const auto completed = with_recovery(
      death, {.times = times, .rung = "newest snapshot", .replayed_frames = 12, .replayed_events = 300, .ticks_lost = 3});
  REQUIRE(completed);
  CHECK(Report(death).incident().getRecoveryMs() == 0);
  Report report(*completed);
  CHECK(report.incident().getRecoveryMs() == doctest::Approx(2.5));
  CHECK(report.incident().getStartMs() == doctest::Approx(0.5));
  CHECK(report.incident().getLoadMs() == doctest::Approx(0.75));
  CHECK(report.incident().getReplayMs() == doctest::Approx(1.25));
  CHECK(std::string(report.incident().getRung()) == "newest snapshot");
  CHECK(report.incident().getReplayedFrames() == 12);
  CHECK(report.incident().getReplayedEvents() == 300);
  CHECK(report.incident().getTicksLost() == 3);
  CHECK(report.crash().getStack().size() == 3);
  CHECK(std::string(report.incident().getPlayer()) == "ann");
  IncidentRecord same = *completed;
  same.report = death.report;
  CHECK(same == death);
  IncidentRecord damaged = death;
  damaged.report = "short";
  CHECK_FALSE(with_recovery(damaged, {}));
}

TEST_CASE("crash report: how long the death was without notice, and since what") {
  IncidentScene where = scene();
  where.heard_ns = 5 * kSecond;
  where.last_sign = {LastSign::frame, 5 * kSecond - 2'500'000};
  Report known(report_of_death(where, judge_death({}), {}));
  CHECK(known.incident().getHeardNs() == 5 * kSecond);
  CHECK(known.incident().getDetectMs() == doctest::Approx(2.5));
  CHECK(known.incident().getLastSign() == wire::LastSign::FRAME);
  where.last_sign = {};
  Report unknown(report_of_death(where, judge_death({}), {}));
  CHECK(unknown.incident().getDetectMs() == 0);
  CHECK(unknown.incident().getLastSign() == wire::LastSign::UNKNOWN);
}

TEST_CASE("crash report: one whose recovery was overtaken by the next death says so, and has no recovery") {
  const IncidentRecord death = report_of_death(scene(), judge_death({}), {});
  const auto overtaken = overtaken_by(death, 18);
  REQUIRE(overtaken);
  Report report(*overtaken);
  CHECK(report.incident().getOvertakenBy() == 18);
  CHECK(report.incident().getRecoveryMs() == 0);
  CHECK(std::string(report.incident().getPlayer()) == "ann");
}

TEST_CASE("crash report: one that an earlier arenad has written is read, and completed") {
  capnp::MallocMessageBuilder message;
  auto before = message.initRoot<before::Crash>();
  before.initIncident().setId(7);
  before.getIncident().setPlayer("ann");
  before.getIncident().setRecoveryMs(2.5);
  before.initStack(1)[0].setObject("tanks.so");
  const auto bytes = message.getSegmentsForOutput()[0].asBytes();
  IncidentRecord record = report_of_death(scene(), judge_death({}), {});
  record.report.assign(bytes.asChars().begin(), bytes.size());
  {
    Report report(record);
    CHECK(report.incident().getId() == 7);
    CHECK(report.incident().getRecoveryMs() == 2.5);
    CHECK(report.incident().getStartMs() == 0);
    CHECK(report.incident().getLastSign() == wire::LastSign::UNKNOWN);
    CHECK(report.incident().getOvertakenBy() == 0);
  }
  const auto completed = with_recovery(record, {.times = {.start_ns = 1'000'000, .parts = {}, .total_ns = 4'000'000}});
  REQUIRE(completed);
  Report report(*completed);
  CHECK(report.incident().getRecoveryMs() == 4);
  CHECK(report.incident().getStartMs() == 1);
  CHECK(report.incident().getLoadMs() == 0);
  CHECK(std::string(report.incident().getPlayer()) == "ann");
  CHECK(std::string(report.crash().getStack()[0].getObject()) == "tanks.so");
}

TEST_CASE("crash report: a few ticks are caught up, more are lost but for the one that is begun") {
  constexpr uint64_t kPeriod = 50 * kMillisecond;  // 20 a second
  CHECK(ticks_lost(kSecond, kSecond + kPeriod - 1, 20) == 0);
  for (uint64_t late = 0; late <= 4; ++late) CHECK(ticks_lost(kSecond, kSecond + (1 + late) * kPeriod, 20) == 0);
  CHECK(ticks_lost(kSecond, kSecond + 5 * kPeriod + 1, 20) == 4);
  CHECK(ticks_lost(kSecond, 3 * kSecond, 20) == 39);
  CHECK(ticks_lost(kSecond, 3 * kSecond, 0) == 0);
  CHECK(ticks_lost(0, kSecond, 20) == 0);
  CHECK(ticks_lost(2 * kSecond, kSecond, 20) == 0);
}
