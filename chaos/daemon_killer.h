// Kills arenad with SIGKILL, alone or with others, and sees that the next one comes and finds everything as it was. Its keeper starts
// it again; this looks at what that costs the arenas.
//
//   resting --due, all arenas are up--> quiet --as long as the last absence--> killed here --> away --the next arenad answers--> back
//   back --some ticks, for frames that were due in between--> resting
//
// Nobody else kills anything in a round, which is everything but resting. Frames that begin over a tick late are counted in each
// absence and right after it, of the arenas whose workers were left alone; and in each quiet time before it, in which nothing was killed at all, for
// comparison.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chaos/control.h"
#include "chaos/killer.h"
#include "chaos/pacers.h"
#include "chaos/run_options.h"

namespace arenad::chaos {

// What is killed with it.
enum class Company {
  alone,
  worker_before,     // a worker, a little earlier: arenad dies while it recovers that arena
  worker_meanwhile,  // a worker, while there is no arenad
  successor,         // the next arenad, while it takes over
  everything,        // all workers, templates and spares, in the same instant
};
constexpr size_t kCompanies = static_cast<size_t>(Company::everything) + 1;

struct DaemonKill {
  Company company = Company::alone;
  uint64_t at_ns = 0;                    // monotonic; the first, if the successor was killed too
  uint64_t arenads = 0;                  // killed in this round
  std::optional<uint64_t> to_answer_ns;  // until the next one answered; it does when it has taken over everything
};

// Frames that began over a tick late, and what the machine did at the time.
struct Lateness {
  uint64_t windows = 0;
  uint64_t window_ns = 0;
  uint64_t frames = 0;        // in those windows
  uint64_t late_frames = 0;   // of them
  uint64_t machine_late = 0;  // of the late ones: in windows in which a pacer was late too, by half a tick at least
  uint64_t pacer_late_ticks = 0;
  uint64_t pacer_latest_ns = 0;
};

class DaemonKiller {
 public:
  struct Plan {
    Victims victims = Victims::arenad;
    uint64_t every_ns = 0;  // on average, between rounds
    uint64_t count = UINT64_MAX;
  };
  // Everything given is borrowed. keeper: arenad is its child.
  DaemonKiller(pid_t keeper, Control& control, Killer& killer, const Pacers& pacers, Killer::Arenas arenas, const Plan& plan,
               uint64_t seed);

  void begin(uint64_t now_ns) { next_ns_ = now_ns + interval_ns(); }
  // An error: arenad does not come back, or has not found everything as it was.
  Result<void> turn(uint64_t now_ns);
  [[nodiscard]] bool in_round() const { return stage_ != Stage::resting; }
  // A round wants to begin: nobody else should kill.
  [[nodiscard]] bool is_due(uint64_t now_ns) const { return !done() && now_ns >= next_ns_; }
  [[nodiscard]] bool is_away() const { return stage_ == Stage::away; }
  [[nodiscard]] bool done() const { return arenads_killed_ >= plan_.count; }

  [[nodiscard]] const std::vector<DaemonKill>& rounds() const { return rounds_; }
  [[nodiscard]] uint64_t arenads_killed() const { return arenads_killed_; }
  // Workers that were left alone and were others afterwards.
  [[nodiscard]] uint64_t workers_changed() const { return workers_changed_; }
  [[nodiscard]] const Lateness& absences() const { return absences_; }
  [[nodiscard]] const Lateness& quiet_times() const { return quiet_times_; }
  // Each window with late frames, in words.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  enum class Stage { resting, quiet, away, back };
  struct Reading {
    Epoch epoch;
    uint64_t frames = 0;
    uint64_t late = 0;
  };
  struct Window {
    uint64_t from_ns = 0;
    std::vector<Reading> readings;  // by arena
  };

  uint64_t interval_ns() { return plan_.every_ns / 2 + random_.below(plan_.every_ns + 1); }
  [[nodiscard]] Company choose_company();
  [[nodiscard]] Window open_window(uint64_t now_ns) const;
  void close_window(const Window& window, uint64_t now_ns, Lateness& lateness, const char* what);
  Result<void> strike();
  Result<void> strike_everything(const Fd& arenad);
  void kill_arenad(const Fd& arenad);
  [[nodiscard]] std::optional<Fd> find_arenad() const;
  void strike_company(uint64_t now_ns);
  bool kill_some_worker();
  Result<void> look_for_next(uint64_t now_ns);
  Result<void> compare_hosts();

  pid_t keeper_;
  Control& control_;
  Killer& killer_;
  const Pacers& pacers_;
  Killer::Arenas arenas_;
  Plan plan_;
  Random random_;
  Stage stage_ = Stage::resting;
  uint64_t next_ns_ = 0;
  uint64_t absence_ns_;  // the last one
  uint64_t company_due_ns_ = 0;
  bool company_waits_ = false;
  pid_t killed_pid_ = 0;
  Window window_;
  std::vector<Host> hosts_;       // before the round, by arena
  std::vector<bool> left_alone_;  // by arena
  std::vector<DaemonKill> rounds_;
  uint64_t arenads_killed_ = 0;
  uint64_t workers_changed_ = 0;
  Lateness absences_;
  Lateness quiet_times_;
  std::vector<std::string> notes_;
};

}  // namespace arenad::chaos
