#include "cli/crash_json.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/incident_kind.h"
#include "cli/json_object.h"
#include "cli/quantity.h"

namespace arenad::cli {
namespace {

Json null_if(bool absent, Json value) {
  return absent ? Json() : std::move(value);
}

Json last_sign_json(wire::LastSign sign) {
  switch (sign) {
    case wire::LastSign::UNKNOWN:
      break;
    case wire::LastSign::NOTE:
      return "note";
    case wire::LastSign::FRAME:
      return "frame";
    case wire::LastSign::SEEN:
      return "seen";
    case wire::LastSign::STRUCK:
      return "struck";
    case wire::LastSign::ASSIGNED:
      return "assigned";
  }
  return nullptr;
}

std::string address_text(uint64_t address) {
  return fmt::format("{:#x}", address);
}

Json event_json(wire::Incident::Reader incident) {
  if (incident.getChannel() == 0) return nullptr;
  return {{"channel", incident.getChannel()}, {"sequence", incident.getSequence()}, {"player", text_of(incident.getPlayer())}};
}

Json recovery_json(wire::Incident::Reader incident) {
  if (incident.getRecoveryMs() == 0) return nullptr;
  return {{"ms", incident.getRecoveryMs()},
          {"start_ms", null_if(incident.getStartMs() == 0, incident.getStartMs())},
          {"load_ms", null_if(incident.getLoadMs() == 0, incident.getLoadMs())},
          {"replay_ms", null_if(incident.getReplayMs() == 0, incident.getReplayMs())},
          {"rung", text_of(incident.getRung())},
          {"replayed_frames", incident.getReplayedFrames()},
          {"replayed_events", incident.getReplayedEvents()},
          {"ticks_lost", incident.getTicksLost()}};
}

Json incident_json(wire::Incident::Reader incident) {
  return {{"id", incident.getId()},
          {"arena", text_of(incident.getArena())},
          {"name", text_of(incident.getName())},
          {"game", text_of(incident.getGame())},
          {"game_version", text_of(incident.getGameVersion())},
          {"build_id", text_of(incident.getBuildId())},
          {"epoch", incident.getEpoch()},
          {"frame", incident.getFrame()},
          {"at", utc_ms_text(incident.getAtUnixMs())},
          {"kind", word_of(incident.getKind())},
          {"cause", text_of(incident.getCause())},
          {"signal", null_if(incident.getSignal() == 0, incident.getSignal())},
          {"exit_code", null_if(incident.getExitCode() < 0, incident.getExitCode())},
          {"address", null_if(!incident.getHasAddress(), address_text(incident.getAddress()))},
          {"pid", incident.getPid()},
          {"phase", text_of(incident.getPhase())},
          {"event", event_json(incident)},
          {"took_ms", null_if(incident.getTookMs() == 0, incident.getTookMs())},
          {"detect_ms", null_if(incident.getDetectMs() == 0, incident.getDetectMs())},
          {"last_sign", last_sign_json(incident.getLastSign())},
          {"heard_monotonic_ns", null_if(incident.getHeardNs() == 0, incident.getHeardNs())},
          {"recovery", recovery_json(incident)},
          {"overtaken_by", null_if(incident.getOvertakenBy() == 0, incident.getOvertakenBy())},
          {"quarantined", null_if(incident.getQuarantined() == 0, incident.getQuarantined())}};
}

void add_place(Json& frame, const std::optional<SourcePlace>& found) {
  const SourcePlace place = found.value_or(SourcePlace{});
  frame["function"] = null_if(place.function.empty(), place.function);
  frame["file"] = null_if(place.file.empty(), place.file);
  frame["line"] = null_if(place.line == 0, place.line);
}

Json stack_json(capnp::List<wire::StackFrame>::Reader stack, const StackSymbols* symbols) {
  Json json = Json::array();
  for (unsigned i = 0; i < stack.size(); ++i) {
    Json frame{{"address", address_text(stack[i].getAddress())},
               {"object", text_of(stack[i].getObject())},
               {"build_id", text_of(stack[i].getBuildId())},
               {"offset", address_text(stack[i].getOffset())}};
    if (symbols != nullptr) add_place(frame, symbols->places[i]);
    json.push_back(std::move(frame));
  }
  return json;
}

Json script_json(wire::Crash::Reader crash) {
  Json lines = Json::array();
  for (const auto line : crash.getScript()) lines.push_back(text_of(line));
  return lines;
}

Json script_source_json(wire::ScriptSource source) {
  switch (source) {
    case wire::ScriptSource::NONE:
      break;
    case wire::ScriptSource::STACK:
      return "stack";
    case wire::ScriptSource::ERROR:
      return "error";
  }
  return nullptr;
}

}  // namespace

std::string crashes_json(capnp::List<wire::Incident>::Reader incidents) {
  Json json = object_with_schema();
  json["crashes"] = Json::array();
  for (const auto incident : incidents) json["crashes"].push_back(incident_json(incident));
  return line(json);
}

std::string crash_json(wire::Crash::Reader crash, const StackSymbols* symbols) {
  Json json = object_with_schema();
  json["crash"] = incident_json(crash.getIncident());
  json["crash"]["script_source"] = script_source_json(crash.getScriptSource());
  json["crash"]["script"] = script_json(crash);
  json["crash"]["stack"] = stack_json(crash.getStack(), symbols);
  if (symbols != nullptr) json["symbol_problems"] = symbols->problems;
  return line(json);
}

}  // namespace arenad::cli
