#include "supervisor/crash_report.h"

#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <vector>

#include <capnp/message.h>

#include "arenad/message.h"
#include "ipc/clock.h"
#include "ipc/crash.capnp.h"
#include "ipc/limits.h"

namespace arenad {
namespace {

wire::IncidentKind wire_kind(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::crash:
      return wire::IncidentKind::CRASH;
    case IncidentKind::exit:
      return wire::IncidentKind::EXIT;
    case IncidentKind::killed:
      return wire::IncidentKind::KILLED;
    case IncidentKind::out_of_memory:
      return wire::IncidentKind::OUT_OF_MEMORY;
    case IncidentKind::hang:
      return wire::IncidentKind::HANG;
    case IncidentKind::slow:
      return wire::IncidentKind::SLOW;
  }
  return wire::IncidentKind::CRASH;
}

wire::LastSign wire_sign(LastSign sign) {
  switch (sign) {
    case LastSign::unknown:
      return wire::LastSign::UNKNOWN;
    case LastSign::note:
      return wire::LastSign::NOTE;
    case LastSign::frame:
      return wire::LastSign::FRAME;
    case LastSign::seen:
      return wire::LastSign::SEEN;
    case LastSign::struck:
      return wire::LastSign::STRUCK;
    case LastSign::assigned:
      return wire::LastSign::ASSIGNED;
  }
  return wire::LastSign::UNKNOWN;
}

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / static_cast<double>(kMillisecond);
}

void describe(const IncidentScene& scene, wire::Incident::Builder to) {
  to.setId(scene.id);
  to.setArena(scene.arena.text());
  to.setName(scene.name);
  to.setGame(scene.game);
  to.setGameVersion(scene.game_version);
  to.setBuildId(scene.build_id);
  to.setEpoch(scene.epoch.value);
  to.setFrame(scene.frame.value);
  to.setPid(static_cast<uint32_t>(scene.pid));
  to.setPhase(phase_name(scene.phase));
  to.setExitCode(-1);
  to.setTookMs(scene.took_ns / kMillisecond);
  to.setQuarantined(scene.quarantined);
  to.setHeardNs(scene.heard_ns);
  if (scene.last_sign.what != LastSign::unknown) {
    to.setLastSign(wire_sign(scene.last_sign.what));
    to.setDetectMs(milliseconds(scene.heard_ns - scene.last_sign.at_ns));
  }
  if (!scene.applying) return;
  to.setChannel(scene.applying->channel.value);
  to.setSequence(scene.applying->sequence);
  to.setPlayer(scene.player);
}

void describe(const DeathFacts& facts, wire::Incident::Builder to) {
  if (facts.exit.how == Exit::How::exited) to.setExitCode(facts.exit.value);
  if (facts.exit.how == Exit::How::signalled) to.setSignal(static_cast<uint32_t>(facts.exit.value));
  if (facts.exit.how == Exit::How::unknown && facts.note.kind == EndKind::signal) to.setSignal(facts.note.signal);
  if (facts.exit.how == Exit::How::unknown && facts.note.kind == EndKind::exit) to.setExitCode(facts.note.exit_code);
  // Of the signal that it died of; the note may be of another one.
  const bool is_of_it = facts.exit.how == Exit::How::unknown ||
                        (facts.exit.how == Exit::How::signalled && facts.exit.value == static_cast<int>(facts.note.signal));
  const bool is_fault =
      facts.note.signal == SIGSEGV || facts.note.signal == SIGBUS || facts.note.signal == SIGILL || facts.note.signal == SIGFPE;
  if (facts.note.kind != EndKind::signal || !is_of_it || !is_fault) return;
  if (facts.note.code <= 0 || facts.note.code == SI_KERNEL) return;  // it was sent, or the kernel does not know
  to.setAddress(facts.note.address);
  to.setHasAddress(true);
}

void describe(const std::vector<TracedFrame>& stack, wire::Crash::Builder to) {
  auto frames = to.initStack(static_cast<unsigned>(stack.size()));
  for (unsigned i = 0; i < frames.size(); ++i) {
    frames[i].setAddress(stack[i].address);
    frames[i].setObject(stack[i].object);
    frames[i].setBuildId(stack[i].build_id);
    frames[i].setOffset(stack[i].offset);
  }
}

wire::ScriptSource wire_source(ScriptSource source) {
  switch (source) {
    case ScriptSource::none:
      return wire::ScriptSource::NONE;
    case ScriptSource::stack:
      return wire::ScriptSource::STACK;
    case ScriptSource::error:
      return wire::ScriptSource::ERROR;
  }
  return wire::ScriptSource::NONE;
}

void describe(const ScriptTrace& script, wire::Crash::Builder to) {
  to.setScriptSource(wire_source(script.source));
  auto lines = to.initScript(static_cast<unsigned>(script.lines.size()));
  for (unsigned i = 0; i < lines.size(); ++i) lines.set(i, script.lines[i]);
}

// As one segment.
std::string bytes_of(wire::Crash::Reader whole) {
  capnp::MallocMessageBuilder flat(static_cast<unsigned>(whole.totalSize().wordCount + 1));
  flat.setRoot(whole);
  const auto bytes = flat.getSegmentsForOutput()[0].asBytes();
  return {bytes.asChars().begin(), bytes.size()};
}

IncidentRecord record_of(const IncidentScene& scene, IncidentKind kind, const std::string& cause,
                         capnp::MallocMessageBuilder& message) {
  IncidentRecord record{scene.id, scene.arena, scene.epoch, scene.frame, kind, static_cast<int64_t>(unix_ms()), {}};
  auto incident = message.getRoot<wire::Crash>().getIncident();
  incident.setKind(wire_kind(kind));
  incident.setCause(cause);
  incident.setAtUnixMs(record.at_unix_ms);
  record.report = bytes_of(message.getRoot<wire::Crash>().asReader());
  return record;
}

}  // namespace

IncidentRecord report_of_death(const IncidentScene& scene, const Death& death, const DeathFacts& facts) {
  capnp::MallocMessageBuilder message;
  auto crash = message.initRoot<wire::Crash>();
  describe(scene, crash.initIncident());
  describe(facts, crash.getIncident());
  describe(facts.note.stack, crash);
  describe(facts.note.script, crash);
  return record_of(scene, death.kind, death.cause, message);
}

namespace {

template <class Change>
std::optional<IncidentRecord> changed(const IncidentRecord& death, Change&& change) {
  try {
    std::vector<uint64_t> words(death.report.size() / sizeof(uint64_t));
    std::memcpy(words.data(), death.report.data(), words.size() * sizeof(uint64_t));
    MessageView view(words.data(), words.size());
    capnp::MallocMessageBuilder message;
    message.setRoot(view.root<wire::Crash>());
    change(message.getRoot<wire::Crash>().getIncident());
    IncidentRecord completed = death;
    completed.report = bytes_of(message.getRoot<wire::Crash>().asReader());
    return completed;
  } catch (const kj::Exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<IncidentRecord> with_recovery(const IncidentRecord& death, const RecoveryFacts& recovery) {
  return changed(death, [&](wire::Incident::Builder incident) {
    incident.setRecoveryMs(milliseconds(recovery.times.total_ns));
    incident.setStartMs(milliseconds(recovery.times.start_ns));
    if (recovery.times.parts) {
      incident.setLoadMs(milliseconds(recovery.times.parts->load_ns));
      incident.setReplayMs(milliseconds(recovery.times.parts->replay_ns));
    }
    incident.setRung(recovery.rung);
    incident.setReplayedFrames(recovery.replayed_frames);
    incident.setReplayedEvents(recovery.replayed_events);
    incident.setTicksLost(recovery.ticks_lost);
  });
}

std::optional<IncidentRecord> overtaken_by(const IncidentRecord& death, uint64_t next) {
  return changed(death, [&](wire::Incident::Builder incident) { incident.setOvertakenBy(next); });
}

uint64_t ticks_lost(uint64_t last_begun_ns, uint64_t now_ns, uint32_t tick_hz) {
  if (tick_hz == 0 || last_begun_ns == 0 || now_ns <= last_begun_ns) return 0;
  const uint64_t period_ns = kSecond / tick_hz;
  const uint64_t due = (now_ns - last_begun_ns) / period_ns;
  // The first of them begins now, as late as all others together; and if that is too late, it is the only one.
  const bool is_caught_up = due == 0 || now_ns - last_begun_ns - period_ns <= limits::kMaxCatchUpTicks * period_ns;
  return is_caught_up ? 0 : due - 1;
}

IncidentRecord report_of_slow_frame(const IncidentScene& scene, const SlowFrame& slow) {
  capnp::MallocMessageBuilder message;
  auto crash = message.initRoot<wire::Crash>();
  describe(scene, crash.initIncident());
  describe(slow.stack, crash);
  describe(slow.script, crash);
  const std::string cause = fmt::format("frame {} had run for {} ms and was {}", slow.frame.value, slow.ran_ns / kMillisecond,
                                        phase_name(slow.phase));
  return record_of(scene, IncidentKind::slow, cause, message);
}

}  // namespace arenad
