#include "chaos/faults/processes.h"

#include <csignal>
#include <fstream>
#include <string>

#include "chaos/faults/patience.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

Result<void> wait_for_any(Stage& stage, const char* what, std::vector<pid_t> (*find)(const Stage&)) {
  return wait_until(stage, what, [&] { return !find(stage).empty(); });
}

}  // namespace

// They say what they are by their names (worker/template_role.cc).
std::vector<pid_t> templates(const Stage& stage) {
  return stage.rig().processes_named("template");
}

std::vector<pid_t> spares(const Stage& stage) {
  return stage.rig().processes_named("spare:ledger");
}

Result<void> wait_for_template(Stage& stage, const Strike&) {
  return wait_for_any(stage, "a template", templates);
}

Result<void> wait_for_spares(Stage& stage, const Strike&) {
  return wait_for_any(stage, "a spare", spares);
}

char state_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() ? stat[end + 2] : '\0';
}

bool lives(pid_t process) {
  const char state = process > 0 ? state_of(process) : '\0';
  return state != '\0' && state != 'Z' && state != 'X';
}

bool arena_runs(Stage& stage, const Strike& strike) {
  const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
  return status && status->state == "running" && status->epoch == stage.epoch(strike.arena);
}

bool all_arenas_run(Stage& stage, const Strike&) {
  for (size_t arena = 0; arena < stage.arenas().size(); ++arena) {
    if (!arena_runs(stage, {.arena = arena})) return false;
  }
  return true;
}

Result<void> signal_all(const std::vector<pid_t>& processes, int number) {
  if (processes.empty()) return make_error(ErrorCode::refused, "there is no such process at the moment");
  for (const pid_t pid : processes) ::kill(pid, number);
  return {};
}

Result<void> limit(pid_t process, __rlimit_resource resource, rlim_t value) {
  rlimit now{};
  if (process <= 0 || ::prlimit(process, resource, nullptr, &now) != 0) return errno_error("cannot read a limit of a process");
  now.rlim_cur = std::min(value, now.rlim_max);
  if (::prlimit(process, resource, &now, nullptr) != 0) return errno_error("cannot limit a process");
  return {};
}

Result<void> lift_limit(pid_t process, __rlimit_resource resource) {
  rlimit now{};
  if (process <= 0 || ::prlimit(process, resource, nullptr, &now) != 0) return {};
  now.rlim_cur = now.rlim_max;
  (void)::prlimit(process, resource, &now, nullptr);
  return {};
}

size_t open_descriptors(pid_t process) {
  std::error_code error;
  const std::filesystem::directory_iterator listed("/proc/" + std::to_string(process) + "/fd", error);
  return error ? 0 : static_cast<size_t>(std::distance(begin(listed), end(listed)));
}

}  // namespace arenad::chaos
