#include "chaos/adoption_rounds.h"

#include <csignal>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

#include "chaos/control.h"
#include "chaos/daemon_process.h"
#include "chaos/litter.h"
#include "chaos/process_tree.h"
#include "chaos/random.h"
#include "ipc/clock.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kDeadlineNs = 60 * kSecond;
constexpr uint64_t kStopMs = 60'000;
constexpr uint64_t kGraceMs = 5000;
constexpr unsigned kLookUs = 500;
constexpr uint64_t kLongestRestNs = 300 * kMillisecond;  // between rounds, so that kills meet every part of arenad's second

class AdoptionRounds {
 public:
  AdoptionRounds(const AdoptionOptions& options, DaemonProcess& daemon, StopSignals& signals)
      : options_(options), daemon_(daemon), signals_(signals) {}

  Result<void> run(AdoptionSummary& summary) {
    auto pid = wait_for_arenad(0);
    if (!pid) return pid.error();
    if (auto started = start_arenas(); !started) return started;
    Random random(options_.rounds, "adoption");
    std::vector<double> durations;
    Result<void> course;
    while (course && summary.rounds < options_.rounds && signals_.look() == Wish::go_on) {
      const uint64_t until_ns = monotonic_ns() + random.below(kLongestRestNs);
      while (monotonic_ns() < until_ns) ::usleep(kLookUs);
      course = round(summary, durations);
    }
    summary.cut_short = signals_.look() != Wish::go_on;
    summary.to_adopted = Durations(std::move(durations));
    return course;
  }
  [[nodiscard]] uint64_t killed() const { return killed_; }

 private:
  Result<void> start_arenas() {
    for (size_t i = 0; i < options_.arenas && signals_.look() == Wish::go_on; ++i) {
      auto arena = control_->start(fmt::format("tanks-{}", i + 1), {{"seconds", "3600"}});
      if (!arena) return arena.error();
    }
    return {};
  }

  Result<void> round(AdoptionSummary& summary, std::vector<double>& durations) {
    auto before = control_->hosts();
    if (!before) return before.error();
    auto pid = control_->greet();
    if (!pid) return pid.error();
    auto arenad = open_named(*pid, "arenad");
    if (!arenad) return make_error(ErrorCode::failed, "arenad is not the process that it says");
    const uint64_t killed_ns = monotonic_ns();
    send_signal(*arenad, SIGKILL);
    ++killed_;
    if (auto next = wait_for_arenad(*pid); !next) return next.error();
    auto after = control_->hosts();
    if (!after) return after.error();
    durations.push_back(static_cast<double>(monotonic_ns() - killed_ns) / kMillisecond);
    ++summary.rounds;
    for (const auto& [arena, host] : *before) {
      const Host now = after->contains(arena) ? (*after)[arena] : Host{};
      if (now == host && now.pid != 0) continue;
      ++summary.workers_changed;
      summary.findings.problem(fmt::format("round {}: {} is in process {}, epoch {}, instead of {}, {}", summary.rounds,
                                           arena.text(), now.pid, now.epoch.value, host.pid, host.epoch.value));
    }
    return {};
  }

  // Another than that.
  Result<pid_t> wait_for_arenad(pid_t other_than) {
    for (const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs; monotonic_ns() < deadline_ns; ::usleep(kLookUs)) {
      if (control_) {
        if (!control_->connect_again()) continue;
      } else if (auto control = Control::connect(daemon_.socket())) {
        control_.emplace(std::move(*control));
      } else if (daemon_.ended()) {
        return make_error(ErrorCode::failed, "arenad has ended");
      } else {
        continue;
      }
      auto pid = control_->greet();
      if (pid && *pid != other_than) return pid;
    }
    return make_error(ErrorCode::timeout, "no arenad answers");
  }

  const AdoptionOptions& options_;
  DaemonProcess& daemon_;
  StopSignals& signals_;
  std::optional<Control> control_;
  uint64_t killed_ = 0;
};

}  // namespace

AdoptionSummary run_adoption(const AdoptionOptions& options, const Programs& programs, const std::filesystem::path& folder,
                             StopSignals& signals) {
  AdoptionSummary summary;
  auto daemon = DaemonProcess::start(programs, folder);
  if (!daemon) {
    summary.findings.problem(daemon.error().text());
    return summary;
  }
  AdoptionRounds rounds(options, *daemon, signals);
  if (auto course = rounds.run(summary); !course) summary.findings.problem(course.error().text());
  if (auto stopped = daemon->stop(kStopMs); !stopped) summary.findings.problem(stopped.error().text());
  for (const std::string& trouble : daemon->troubles(rounds.killed())) summary.findings.problem(trouble);
  for (const std::string& process : clear_litter(kGraceMs)) summary.findings.problem("litter: " + process + " was left over");
  return summary;
}

std::string adoption_json(const AdoptionSummary& s) {
  return fmt::format(
      "{{\"rounds\": {}, \"adoption_p50_ms\": {:.3f}, \"adoption_p99_ms\": {:.3f}, \"adoption_max_ms\": {:.3f}, "
      "\"workers_changed\": {}, \"problems\": {}}}\n",
      s.rounds, s.to_adopted.quantile(0.5), s.to_adopted.quantile(0.99), s.to_adopted.max(), s.workers_changed,
      s.findings.problems.size());
}

}  // namespace arenad::chaos
