#include "cli/crash_page.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/incident_kind.h"
#include "cli/page.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

using Incident = wire::Incident::Reader;
using Frame = wire::StackFrame::Reader;

std::string shown(capnp::Text::Reader text) {
  return printable(text_of(text));
}

std::string id_if_any(uint64_t id) {
  return id == 0 ? "" : std::to_string(id);
}

std::string event_cell(Incident incident) {
  if (incident.getChannel() == 0) return {};
  return fmt::format("{} of {}", incident.getSequence(), shown(incident.getPlayer()));
}

std::string title(Incident incident, Colour colour) {
  return fmt::format("{} {}: {}\n", painted(shown(incident.getName()), Tone::heading, colour), incident.getId(),
                     painted(word_of(incident.getKind()), tone_of(incident.getKind()), colour));
}

std::string game_text(Incident incident) {
  std::string text = shown(incident.getGame());
  if (const std::string version = shown(incident.getGameVersion()); !version.empty()) text += ", version " + version;
  if (const std::string build_id = shown(incident.getBuildId()); !build_id.empty()) text += ", build id " + build_id;
  return text;
}

std::string frame_text(Incident incident) {
  const std::string phase = shown(incident.getPhase());
  return std::to_string(incident.getFrame()) + (phase.empty() ? "" : ", " + phase);
}

std::string signal_text(Incident incident) {
  if (incident.getSignal() == 0) return {};
  const char* name = ::sigabbrev_np(static_cast<int>(std::min(incident.getSignal(), 1000u)));
  std::string text = std::to_string(incident.getSignal());
  if (name != nullptr) text += fmt::format(" (SIG{})", name);
  if (incident.getHasAddress()) text += fmt::format(", address {:#x}", incident.getAddress());
  return text;
}

std::string exit_text(Incident incident) {
  return incident.getExitCode() < 0 ? "" : std::to_string(incident.getExitCode());
}

std::string took_text(Incident incident) {
  return incident.getTookMs() == 0 ? "" : duration_text(static_cast<double>(incident.getTookMs()) * 1000);
}

std::string recovery_cell(Incident incident) {
  return incident.getRecoveryMs() == 0 ? "" : duration_text(incident.getRecoveryMs() * 1000);
}

std::string ticks_lost_cell(Incident incident) {
  return incident.getRecoveryMs() == 0 ? "" : std::to_string(incident.getTicksLost());
}

std::string overtaken_text(Incident incident) {
  if (incident.getOvertakenBy() == 0) return {};
  return fmt::format("overtaken by the next death: see arenactl crashes show {}", incident.getOvertakenBy());
}

std::string recovery_text(Incident incident) {
  if (incident.getRecoveryMs() == 0) return overtaken_text(incident);
  return fmt::format("{} from the {}: {} frames and {} events run again, {} ticks lost", recovery_cell(incident),
                     shown(incident.getRung()), incident.getReplayedFrames(), incident.getReplayedEvents(),
                     incident.getTicksLost());
}

// Empty: an earlier arenad has not told it.
std::string recovery_parts_text(Incident incident) {
  if (incident.getRecoveryMs() == 0 || incident.getStartMs() == 0) return {};
  const auto text = [](double ms) { return ms == 0 ? std::string("?") : duration_text(ms * 1000); };
  return fmt::format("{} to start a successor, {} to load, {} to replay", text(incident.getStartMs()),
                     text(incident.getLoadMs()), text(incident.getReplayMs()));
}

const char* after_text(wire::LastSign sign) {
  switch (sign) {
    case wire::LastSign::UNKNOWN:
      break;
    case wire::LastSign::NOTE:
      return "after it wrote down its end";
    case wire::LastSign::FRAME:
      return "after its last frame began";
    case wire::LastSign::SEEN:
      return "after it was last seen to move";
    case wire::LastSign::STRUCK:
      return "after it was sent a signal";
    case wire::LastSign::ASSIGNED:
      return "after it got its arena";
  }
  return "after its last sign of life";
}

std::string detected_text(Incident incident) {
  if (incident.getDetectMs() == 0) return {};
  return fmt::format("{} {}", duration_text(incident.getDetectMs() * 1000), after_text(incident.getLastSign()));
}

std::string event_text(Incident incident) {
  if (incident.getChannel() == 0) return {};
  return fmt::format("{} of channel {}, sent by {}", incident.getSequence(), incident.getChannel(),
                     shown(incident.getPlayer()));
}

std::string quarantined_text(Incident incident) {
  if (incident.getQuarantined() == 0) return {};
  return fmt::format("the event is withheld: see arenactl quarantine show {}", incident.getQuarantined());
}

std::string object_text(Frame frame) {
  const std::string object = text_of(frame.getObject());
  if (object.empty()) return "?";
  return fmt::format("{}+{:#x}", printable(object.substr(object.rfind('/') + 1)), frame.getOffset());
}

std::string place_text(const SourcePlace& place) {
  std::string text;
  if (!place.function.empty()) text += " " + printable(place.function);
  if (!place.file.empty()) text += fmt::format(" {}:{}", printable(place.file), place.line);
  return text;
}

const char* script_heading(wire::ScriptSource source) {
  switch (source) {
    case wire::ScriptSource::NONE:
      break;
    case wire::ScriptSource::STACK:
      return "where the game was in its own language, innermost call first:";
    case wire::ScriptSource::ERROR:
      return "where the error was raised, innermost call first:";
  }
  return "what the game says of where it was:";
}

std::string script_text(wire::Crash::Reader crash) {
  if (crash.getScript().size() == 0) return {};
  std::string text = fmt::format("\n{}\n", script_heading(crash.getScriptSource()));
  for (const auto line : crash.getScript()) text += fmt::format("  {}\n", shown(line));
  return text;
}

std::string stack_text(capnp::List<wire::StackFrame>::Reader stack, const StackSymbols* symbols) {
  if (stack.size() == 0) return "\nno stack: the worker could not leave one\n";
  std::string text = "\n";
  for (unsigned i = 0; i < stack.size(); ++i) {
    text += fmt::format("#{} {:#018x} {}", i, stack[i].getAddress(), object_text(stack[i]));
    if (symbols != nullptr && symbols->places[i]) text += place_text(*symbols->places[i]);
    text += "\n";
  }
  return text;
}

// What the names in the stack are short for.
std::string files_table(capnp::List<wire::StackFrame>::Reader stack, Colour colour) {
  Table table({{"FILE"}, {"BUILD-ID"}});
  std::vector<std::pair<std::string, std::string>> files;
  for (const Frame frame : stack) {
    std::pair file(shown(frame.getObject()), shown(frame.getBuildId()));
    if (file.first.empty() || std::ranges::find(files, file) != files.end()) continue;
    table.add_row({{file.first}, {file.second}});
    files.push_back(std::move(file));
  }
  return files.empty() ? "" : "\n" + table.text(colour, Header::shown);
}

}  // namespace

Table crash_table(capnp::List<wire::Incident>::Reader incidents) {
  Table table({{"ID", Align::right},
               {"ARENA"},
               {"WHEN"},
               {"EPOCH", Align::right},
               {"FRAME", Align::right},
               {"KIND"},
               {"CAUSE"},
               {"EVENT"},
               {"QUARANTINED", Align::right},
               {"RECOVERY", Align::right},
               {"TICKS-LOST", Align::right}});
  for (const Incident incident : incidents) {
    table.add_row({{std::to_string(incident.getId())},
                   {shown(incident.getName())},
                   {utc_ms_text(incident.getAtUnixMs())},
                   {std::to_string(incident.getEpoch())},
                   {std::to_string(incident.getFrame())},
                   {std::string(word_of(incident.getKind())), tone_of(incident.getKind())},
                   {shown(incident.getCause())},
                   {event_cell(incident)},
                   {id_if_any(incident.getQuarantined())},
                   {recovery_cell(incident)},
                   {ticks_lost_cell(incident)}});
  }
  return table;
}

std::string render_crash_page(wire::Crash::Reader crash, const StackSymbols* symbols, Colour colour) {
  const Incident incident = crash.getIncident();
  Page page;
  page.add_raw(title(incident, colour));
  page.add("cause", shown(incident.getCause()));
  page.add("when", utc_ms_text(incident.getAtUnixMs()));
  page.add("arena", shown(incident.getArena()));
  page.add("game", game_text(incident));
  page.add("process", fmt::format("pid {}, epoch {}", incident.getPid(), incident.getEpoch()));
  page.add("frame", frame_text(incident));
  page.add("ran for", took_text(incident));
  page.add("signal", signal_text(incident));
  page.add("exit code", exit_text(incident));
  page.add("event", event_text(incident));
  page.add("detected", detected_text(incident));
  page.add("recovery", recovery_text(incident));
  page.add("of that", recovery_parts_text(incident));
  page.add("quarantine", painted(quarantined_text(incident), Tone::bad, colour));
  page.add_raw(script_text(crash));
  page.add_raw(stack_text(crash.getStack(), symbols));
  page.add_raw(files_table(crash.getStack(), colour));
  return page.text();
}

}  // namespace arenad::cli
