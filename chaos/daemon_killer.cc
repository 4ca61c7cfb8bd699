#include "chaos/daemon_killer.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>

#include "chaos/process_tree.h"
#include "ipc/clock.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

constexpr const char* kDaemonName = "arenad";
constexpr uint64_t kLongestAbsenceNs = 60 * kSecond;
constexpr uint64_t kFirstQuietNs = 50 * kMillisecond;
// A frame that was due in a window and is over a tick late begins in this time after it, or is not much later.
constexpr uint64_t kAfterwardsNs = 3 * kTickPeriodMs * kMillisecond;
constexpr uint64_t kRecoveringNs = 4 * kMillisecond;  // for so long, and more, a worker's recovery goes on
constexpr uint64_t kMachineLateNs = kTickPeriodMs * kMillisecond / 2;

}  // namespace

DaemonKiller::DaemonKiller(pid_t keeper, Control& control, Killer& killer, const Pacers& pacers, Killer::Arenas arenas,
                           const Plan& plan, uint64_t seed)
    : keeper_(keeper),
      control_(control),
      killer_(killer),
      pacers_(pacers),
      arenas_(arenas),
      plan_(plan),
      random_(seed, "arenad's killer"),
      absence_ns_(kFirstQuietNs) {}

Company DaemonKiller::choose_company() {
  switch (plan_.victims) {
    case Victims::workers:
    case Victims::arenad:
      return Company::alone;
    case Victims::everything:
      return Company::everything;
    case Victims::mixed:
      // Half of them alone, the others equally often.
      return random_.below(2) == 0 ? Company::alone : static_cast<Company>(1 + random_.below(kCompanies - 1));
  }
  return Company::alone;
}

Result<void> DaemonKiller::turn(uint64_t now_ns) {
  switch (stage_) {
    case Stage::resting:
      if (!is_due(now_ns) || !killer_.all_are_up()) return {};
      window_ = open_window(now_ns);
      stage_ = Stage::quiet;
      return {};
    case Stage::quiet:
      if (now_ns - window_.from_ns < absence_ns_ + kAfterwardsNs) return {};
      // What dies by itself meanwhile is found by others.
      left_alone_.assign(arenas_.size(), true);
      close_window(window_, now_ns, quiet_times_, "nothing was killed");
      return strike();
    case Stage::away:
      strike_company(now_ns);
      return look_for_next(now_ns);
    case Stage::back:
      if (now_ns - rounds_.back().at_ns < *rounds_.back().to_answer_ns + kAfterwardsNs) return {};
      close_window(window_, now_ns, absences_, "arenad was killed");
      stage_ = Stage::resting;
      next_ns_ = now_ns + interval_ns();
      return compare_hosts();
  }
  return {};
}

// ---- windows ------------------------------------------------------------------------------------------------------------

DaemonKiller::Window DaemonKiller::open_window(uint64_t now_ns) const {
  Window window{now_ns, {}};
  for (const auto& arena : arenas_) {
    const WorkerStatus* status = arena->status();
    window.readings.push_back({arena->epoch(), status != nullptr ? status->frames.load(std::memory_order_relaxed) : 0,
                               status != nullptr ? status->frames_late.load(std::memory_order_relaxed) : 0});
  }
  return window;
}

void DaemonKiller::close_window(const Window& window, uint64_t now_ns, Lateness& lateness, const char* what) {
  const Window now = open_window(now_ns);
  const uint64_t pacer_ns = pacers_.latest_ns(window.from_ns, now_ns);
  ++lateness.windows;
  lateness.window_ns += now_ns - window.from_ns;
  lateness.pacer_late_ticks += pacers_.late_ticks(window.from_ns, now_ns);
  lateness.pacer_latest_ns = std::max(lateness.pacer_latest_ns, pacer_ns);
  for (size_t i = 0; i < arenas_.size(); ++i) {
    if (!left_alone_[i] || now.readings[i].epoch != window.readings[i].epoch) continue;
    lateness.frames += now.readings[i].frames - window.readings[i].frames;
    const uint64_t late = now.readings[i].late - window.readings[i].late;
    if (late == 0) continue;
    lateness.late_frames += late;
    if (pacer_ns >= kMachineLateNs) lateness.machine_late += late;
    notes_.push_back(fmt::format("{}: {} frames of {} began over a tick late in {:.1f} ms; a pacer was up to {:.1f} ms late",
                                 what, late, arenas_[i]->arena().name,
                                 static_cast<double>(now_ns - window.from_ns) / kMillisecond,
                                 static_cast<double>(pacer_ns) / kMillisecond));
  }
}

// ---- killing ------------------------------------------------------------------------------------------------------------

std::optional<Fd> DaemonKiller::find_arenad() const {
  for (const pid_t child : children_of(keeper_)) {
    if (child == killed_pid_) continue;
    if (auto arenad = open_named(child, kDaemonName)) return arenad;
  }
  return std::nullopt;
}

void DaemonKiller::kill_arenad(const Fd& arenad) {
  send_signal(arenad, SIGKILL);
  ++arenads_killed_;
  ++rounds_.back().arenads;
}

bool DaemonKiller::kill_some_worker() {
  const size_t arena = random_.below(arenas_.size());
  if (!killer_.strike(arena)) return false;
  left_alone_[arena] = false;
  return true;
}

Result<void> DaemonKiller::strike() {
  auto pid = control_.greet();
  if (!pid) return pid.error();
  auto hosts = control_.hosts();
  if (!hosts) return hosts.error();
  hosts_.clear();
  for (const auto& arena : arenas_) hosts_.push_back((*hosts)[arena->arena().id]);
  auto arenad = find_arenad();
  if (!arenad) return make_error(ErrorCode::failed, "arenad is not among the children of its keeper");
  killed_pid_ = *pid;
  killer_.take_aim();

  const Company company = choose_company();
  if (company == Company::worker_before && kill_some_worker()) {
    const uint64_t until_ns = monotonic_ns() + random_.below(kRecoveringNs);
    while (monotonic_ns() < until_ns) {
    }
  }
  const uint64_t now = monotonic_ns();
  stage_ = Stage::away;
  window_ = open_window(now);
  rounds_.push_back({.company = company, .at_ns = now});
  company_waits_ = company == Company::worker_meanwhile || company == Company::successor;
  company_due_ns_ = now + random_.below(absence_ns_ + 1);
  if (company == Company::everything) return strike_everything(*arenad);
  kill_arenad(*arenad);
  return {};
}

// Found first, so that the signals follow one another with nothing in between.
Result<void> DaemonKiller::strike_everything(const Fd& arenad) {
  std::vector<std::pair<pid_t, Fd>> others;  // templates and spares; workers too, who are dead then already
  for (const pid_t pid : descendants_of(keeper_)) {
    if (pid == killed_pid_) continue;
    if (auto pidfd = open_pidfd(pid)) others.emplace_back(pid, std::move(*pidfd));
  }
  const bool arenad_first = random_.below(2) == 0;
  rounds_.back().at_ns = monotonic_ns();
  if (arenad_first) kill_arenad(arenad);
  for (size_t i = 0; i < arenas_.size(); ++i) {
    if (!killer_.strike(i) && !arenas_[i]->departure()) {
      return make_error(ErrorCode::failed, "the worker of " + arenas_[i]->arena().name + " was not found");
    }
    left_alone_[i] = false;
  }
  if (!arenad_first) kill_arenad(arenad);
  for (const auto& [pid, pidfd] : others) killer_.strike_bystander(pid, pidfd);
  return {};
}

// What is to die in arenad's absence.
void DaemonKiller::strike_company(uint64_t now_ns) {
  if (!company_waits_ || now_ns < company_due_ns_) return;
  if (rounds_.back().company == Company::worker_meanwhile) {
    company_waits_ = !kill_some_worker();
    return;
  }
  auto next = find_arenad();
  if (!next) return;
  company_waits_ = false;
  kill_arenad(*next);
}

// ---- the next arenad ----------------------------------------------------------------------------------------------------

Result<void> DaemonKiller::look_for_next(uint64_t now_ns) {
  DaemonKill& round = rounds_.back();
  if (now_ns - round.at_ns > kLongestAbsenceNs) {
    return make_error(ErrorCode::timeout,
                      fmt::format("arenad was killed, and none answers after {} s", kLongestAbsenceNs / kSecond));
  }
  if (!control_.connect_again()) return {};
  auto pid = control_.greet();
  if (!pid || *pid == killed_pid_) return {};
  const uint64_t answered_ns = monotonic_ns();
  // One that was to die, and was faster: it dies in its first moments.
  if (company_waits_ && round.company == Company::successor) {
    company_due_ns_ = 0;
    return {};
  }
  round.to_answer_ns = answered_ns - round.at_ns;
  absence_ns_ = *round.to_answer_ns;
  stage_ = Stage::back;
  return {};
}

Result<void> DaemonKiller::compare_hosts() {
  auto hosts = control_.hosts();
  if (!hosts) return hosts.error();
  for (size_t i = 0; i < arenas_.size(); ++i) {
    const Host& now = (*hosts)[arenas_[i]->arena().id];
    if (!left_alone_[i] || arenas_[i]->departure() || now == hosts_[i]) continue;
    ++workers_changed_;
    notes_.push_back(fmt::format("{} was left alone and is in process {}, epoch {}, instead of {}, {}",
                                 arenas_[i]->arena().name, now.pid, now.epoch.value, hosts_[i].pid, hosts_[i].epoch.value));
  }
  return {};
}

}  // namespace arenad::chaos
