#include "chaos/sweep/plan_text.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <optional>

namespace arenad::sweep {
namespace {

const char* name_of(CrashAction action) {
  switch (action) {
    case CrashAction::kill:
      return "kill";
    case CrashAction::abort:
      return "abort";
    case CrashAction::segv:
      return "segv";
    case CrashAction::stop:
      return "stop";
    case CrashAction::exit:
      return "exit";
    default:  // the others are arena-chaos's
      break;
  }
  return "?";
}

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

// Those of the list alone: others would say nothing.
std::optional<int> error_named(std::string_view name) {
  for (const IoCall& call : kIoCalls) {
    for (const int error : call.errors) {
      if (error != 0 && name == ::strerrorname_np(error)) return error;
    }
  }
  return std::nullopt;
}

std::optional<CallWay> parse_way(std::string_view text) {
  if (text == "kill") return CallWay();
  CallWay way;
  if (text.ends_with('+')) {
    way.lasting = Lasting::for_a_while;
    text.remove_suffix(1);
  }
  const auto error = error_named(text);
  if (!error) return std::nullopt;
  way.error = *error;
  return way;
}

// Names of roles have no dot in them, those of calls may.
bool parse_call(CallTrap& trap, std::string_view name) {
  for (const CallRole role : kCallRoles) {
    for (size_t call = 0; call < kIoCalls.size(); ++call) {
      if (call_name(role, call) != name) continue;
      trap.role = role;
      trap.call = call;
      return true;
    }
  }
  return false;
}

}  // namespace

std::string trap_text(const Trap& trap) {
  return fmt::format("{}#{}", kCrashPoints[trap.point], trap.hit);
}

std::string trap_text(const CallTrap& trap) {
  return fmt::format("{}#{}={}", call_name(trap.role, trap.call), trap.hit, way_text(trap.way));
}

std::string call_name(CallRole role, size_t call) {
  return fmt::format("{}.{}", to_string(role), kIoCalls[call].name);
}

std::string way_text(const CallWay& way) {
  if (way.error == 0) return "kill";
  return ::strerrorname_np(way.error) + std::string(way.lasting == Lasting::for_a_while ? "+" : "");
}

std::string command_for(const Plan& plan) {
  std::string command =
      fmt::format("arena-chaos sweep --scenario {} --pace {}", to_string(plan.scenario), to_string(plan.pace));
  for (const Trap& trap : plan.traps) {
    command += " --at " + trap_text(trap);
    if (trap.action != CrashAction::kill) command += fmt::format(" --action {}", name_of(trap.action));
  }
  for (const CallTrap& trap : plan.calls) command += " --at " + trap_text(trap);
  return command;
}

Result<void> add_trap(Plan& plan, const std::string& text, CrashAction action) {
  const size_t hash = text.find('#');
  const std::string name = text.substr(0, hash);
  std::string place = hash == std::string::npos ? "1" : text.substr(hash + 1);
  const size_t equals = place.find('=');
  const auto hit = number_of(std::string_view(place).substr(0, equals));
  if (!hit) return make_error(ErrorCode::invalid, "--at: not a hit: " + place);
  const auto point = std::find(kCrashPoints.begin(), kCrashPoints.end(), name);
  if (point != kCrashPoints.end()) {
    if (equals != std::string::npos)
      return make_error(ErrorCode::invalid, "--at: of a crash point, --action says what is done");
    plan.traps.push_back({static_cast<size_t>(point - kCrashPoints.begin()), *hit, action});
    return {};
  }
  CallTrap trap{.hit = *hit};
  if (!parse_call(trap, name)) return make_error(ErrorCode::invalid, "--at: there is no crash point and no call " + name);
  if (equals != std::string::npos) {
    const auto way = parse_way(std::string_view(place).substr(equals + 1));
    if (!way) return make_error(ErrorCode::invalid, "--at: neither kill nor an error of a call: " + place.substr(equals + 1));
    trap.way = *way;
  }
  plan.calls.push_back(trap);
  return {};
}

}  // namespace arenad::sweep
