#include "chaos/sweep/scenario.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

#include "chaos/rig/ledger_player.h"
#include "ipc/clock.h"

namespace arenad::sweep {
namespace {

using test::HeardOutput;
using Player = test::LedgerPlayer;

constexpr uint32_t kTickHz = 100;

// What cannot be waited for any longer.
struct GivenUp {
  std::string what;
};

// Whether checkpoints of what is played come while it is played.
bool takes_snapshots(Scenario scenario) {
  switch (scenario) {
    case Scenario::play:
    case Scenario::adoption:
    case Scenario::templates:
    case Scenario::upgrade:
      return true;
    case Scenario::recovery:
    case Scenario::everybody:
    case Scenario::handover:
    case Scenario::takeback:
    case Scenario::rollout:
      return false;
  }
  return false;
}

const char* game_of(Scenario scenario) {
  return takes_snapshots(scenario) ? "ledger" : "ledger_log";
}

class Life {
 public:
  Life(Rig& rig, const Plan& plan, uint64_t number, CallTable* calls)
      : rig_(rig),
        plan_(plan),
        calls_(calls),
        name_("s" + std::to_string(number)),
        id_(ArenaId::make(unix_ms(), random_u64(), random_u64())),
        ann_(rig.socket(), "ann"),
        bob_(rig.socket(), "bob") {}

  Outcome run();

 private:
  template <class Condition>
  void until(const std::string& what, Condition&& holds);
  void arm();
  void arm_calls();
  void look_at_traps();
  void begin();
  void attach(Player& player);
  void play(int rounds);
  void burst(int entries);
  void hear_all();
  void kill_worker();
  void kill_arenad();
  void kill_everybody();
  void kill_templates();
  void change_code(const std::string& module);
  void upgrade();
  void begin_change_of_code(const std::string& module);
  void end_change_of_code();
  void roll_on();
  [[nodiscard]] std::string other_version();
  void settle();
  void check_status(const ArenaStatus& status);
  void check_players();
  void check_awards();
  void check_processes();
  void put_down();
  void play_on_from_the_database();
  void start_another();
  void problem(std::string text) { outcome_.problems.push_back(std::move(text)); }
  [[nodiscard]] bool has_fired() const;

  Rig& rig_;
  const Plan& plan_;
  CallTable* calls_;
  std::string name_;
  ArenaId id_;
  Player ann_;
  Player bob_;
  std::vector<uint64_t> hits_before_;
  std::vector<uint64_t> calls_before_;
  Outcome outcome_;
};

// Listens meanwhile, as clients do: that is how they find the next arenad.
template <class Condition>
void Life::until(const std::string& what, Condition&& holds) {
  const uint64_t deadline_ns = monotonic_ns() + kPatienceMs * kMillisecond;
  for (;;) {
    ann_.listen();
    bob_.listen();
    if (holds()) return;
    if (rig_.is_broken()) throw GivenUp{"the keeper has ended while waiting for: " + what};
    if (monotonic_ns() > deadline_ns) throw GivenUp{"in vain: " + what};
    std::vector<Attachment*> attachments;
    for (const Player* player : {&ann_, &bob_}) {
      if (player->is_attached() && player->gone().empty()) attachments.push_back(player->attachment());
    }
    if (attachments.empty()) {
      ::usleep(500);
    } else {
      Client::wait_any(attachments, 1);
    }
  }
}

void Life::arm() {
  rig_.points().disarm();
  for (size_t point = 0; point < kCrashPoints.size(); ++point) hits_before_.push_back(rig_.points().hits(point));
  if (!plan_.traps.empty()) rig_.points().arm(plan_.traps[0].point, plan_.traps[0].hit, plan_.traps[0].action);
  if (plan_.traps.size() > 1) rig_.points().arm_second(plan_.traps[1].point, plan_.traps[1].hit, plan_.traps[1].action);
  if (calls_ != nullptr) arm_calls();
}

void Life::arm_calls() {
  calls_->disarm();
  for (const CallRole role : kCallRoles) {
    for (size_t call = 0; call < kIoCalls.size(); ++call) calls_before_.push_back(calls_->count(role, call));
  }
  if (!plan_.calls.empty()) calls_->arm(plan_.calls[0]);
  if (plan_.calls.size() > 1) calls_->arm_second(plan_.calls[1]);
}

void Life::look_at_traps() {
  rig_.points().disarm();
  if (calls_ != nullptr) calls_->disarm();
  for (size_t i = 0; i < plan_.traps.size(); ++i) outcome_.fired.push_back(rig_.points().fired(i));
  for (size_t point = 0; point < hits_before_.size(); ++point) {
    outcome_.hits.push_back(rig_.points().hits(point) - hits_before_[point]);
  }
  for (size_t i = 0; i < plan_.calls.size(); ++i) outcome_.fired.push_back(calls_->fired(i) != 0);
  if (calls_ == nullptr) return;
  for (const CallRole role : kCallRoles) {
    for (size_t call = 0; call < kIoCalls.size(); ++call) {
      outcome_.calls.push_back(calls_->count(role, call) - calls_before_[count_index(role, call)]);
    }
  }
}

bool Life::has_fired() const {
  return (!plan_.traps.empty() && rig_.points().fired()) || (!plan_.calls.empty() && calls_->fired(0) != 0);
}

// A start whose answer is lost is asked for again, by the same id: it changes nothing if the arena runs already.
void Life::begin() {
  std::string last;
  until("the arena starts", [&] {
    const uint32_t hz = plan_.pace == Pace::ticking ? kTickHz : 0;
    const auto started = rig_.start_arena(id_, name_, game_of(plan_.scenario), hz);
    if (!started && started.error().code != ErrorCode::unreachable) {
      last = started.error().text();
      // A template or a first worker that dies is told to whoever has asked; nothing of the arena is left then.
      if (!has_fired()) throw GivenUp{"the start is refused: " + last};
    }
    return started.ok();
  });
}

void Life::attach(Player& player) {
  std::string last;
  until("a player attaches", [&] {
    const auto attached = player.attach(id_);
    if (!attached) last = attached.error().text();
    if (!attached && attached.error().code != ErrorCode::unreachable && !has_fired()) {
      throw GivenUp{"a player is refused: " + last};
    }
    return attached.ok();
  });
}

void Life::play(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    for (Player* player : {&ann_, &bob_}) until("there is room in a channel", [&] { return player->say(); });
    hear_all();
  }
}

void Life::burst(int entries) {
  for (int i = 0; i < entries; ++i) {
    for (Player* player : {&ann_, &bob_}) until("there is room in a channel", [&] { return player->say(); });
  }
}

void Life::hear_all() {
  until(fmt::format("entries come back, {} and {} were written", ann_.said(), bob_.said()), [&] {
    if (!ann_.gone().empty()) throw GivenUp{"ann has lost the arena: " + ann_.gone()};
    if (!bob_.gone().empty()) throw GivenUp{"bob has lost the arena: " + bob_.gone()};
    return ann_.hears_all() && bob_.hears_all();
  });
}

void Life::kill_worker() {
  until("there is a worker to be killed", [&] {
    const auto status = rig_.status(id_);
    return status && status->state == "running" && status->pid > 0 && ::kill(status->pid, SIGKILL) == 0;
  });
}

void Life::kill_arenad() {
  until("there is an arenad to be killed", [&] {
    const pid_t arenad = rig_.arenad();
    return arenad != 0 && ::kill(arenad, SIGKILL) == 0;
  });
}

void Life::kill_everybody() {
  until("there is an arenad to be killed", [&] {
    const pid_t arenad = rig_.arenad();
    if (arenad == 0 || ::kill(arenad, SIGSTOP) != 0) return false;
    for (const pid_t worker : rig_.processes_named(name_)) ::kill(worker, SIGKILL);
    ::kill(arenad, SIGKILL);
    return true;
  });
}

void Life::kill_templates() {
  for (const pid_t pid : rig_.processes_named("template")) ::kill(pid, SIGKILL);
  for (const pid_t pid : rig_.processes_named("spare:ledger")) ::kill(pid, SIGKILL);
}

std::string Life::other_version() {
  const auto now = rig_.status(id_);
  return now && now->version == "1.0" ? "ledger_good" : "ledger";
}

void Life::change_code(const std::string& module) {
  begin_change_of_code(module);
  end_change_of_code();
}

// What the operator was answered, the next arenad knows: if nothing is armed, nothing keeps the rollout from its end.
void Life::roll_on() {
  begin_change_of_code(other_version());
  kill_arenad();
  end_change_of_code();
  const auto rollout = rig_.rollout(game_of(plan_.scenario));
  if (!rollout && !has_fired()) problem("the next arenad does not know the rollout");
  if (rollout && !has_fired() && (rollout->state != "done" || rollout->passed != 1)) {
    problem(fmt::format("the rollout is {}, and {} arenas have passed", rollout->state, rollout->passed));
  }
}

// What the operator asked for and was not answered may be lost with arenad: then it is not asked for again, and the arena runs whichever
// of both.
void Life::begin_change_of_code(const std::string& module) {
  std::string last;
  until("the change of code is taken", [&] {
    const auto begun = rig_.reload(game_of(plan_.scenario), module, name_);
    if (!begun) last = begun.error().text();
    if (!begun && begun.error().code != ErrorCode::unreachable && !has_fired()) {
      throw GivenUp{"the change of code is refused: " + last};
    }
    return begun.ok() || has_fired();
  });
}

// On probation it needs frames to run.
void Life::end_change_of_code() {
  uint64_t said_ns = 0;
  until("the change of code is over", [&] {
    if (monotonic_ns() - said_ns > 20 * kMillisecond) {
      burst(1);
      said_ns = monotonic_ns();
    }
    return !rig_.is_rolling_out();
  });
}

// What dies on the way ends it, and is not asked again.
void Life::upgrade() {
  until("arenad is upgraded", [&] {
    const auto upgraded = rig_.upgrade();
    if (!upgraded && upgraded.error().code != ErrorCode::unreachable && !has_fired()) {
      throw GivenUp{"the upgrade is refused: " + upgraded.error().text()};
    }
    return upgraded.ok() || has_fired();
  });
}

void Life::settle() {
  ArenaStatus status;
  const size_t awards = ann_.model().awards().size();
  const auto settled = [&] {
    const auto now = rig_.status(id_);
    if (!now) throw GivenUp{"arenad does not know the arena"};
    status = *now;
    if (status.state == "failed" || status.state == "lost")
      throw GivenUp{"the arena is " + status.state + ": " + status.reason};
    if (status.state != "running" || status.clients != 2) return false;
    // The notice of an incarnation and this answer come by different ways.
    if (ann_.epoch() != status.epoch || bob_.epoch() != status.epoch) return false;
    // A worker that has just died may have told more than it has done.
    if (status.frame < ann_.model().frame()) return false;
    if (takes_snapshots(plan_.scenario) && status.durable_frame == 0) return false;
    const auto stored = rig_.awards(id_);
    return stored && stored->size() >= awards;
  };
  try {
    until("everything has settled", settled);
  } catch (const GivenUp& given_up) {
    throw GivenUp{fmt::format(
        "{}: state {}, {} clients, epoch {} (ann {}, bob {}), frame {} (ann {}), durable frame {}, {} of {} results",
        given_up.what, status.state, status.clients, status.epoch, ann_.epoch(), bob_.epoch(), status.frame,
        ann_.model().frame(), status.durable_frame, rig_.awards(id_).value_or(std::vector<StoredAward>()).size(), awards)};
  }
  check_status(status);
  check_processes();
}

void Life::check_status(const ArenaStatus& status) {
  if (status.divergences != 0) problem(fmt::format("status tells of {} frames that gave other outputs", status.divergences));
  if (status.rejected != 0) problem(fmt::format("status tells of {} rejected events", status.rejected));
  if (status.events != ann_.said() + bob_.said()) {
    problem(fmt::format("status tells of {} events, {} were written", status.events, ann_.said() + bob_.said()));
  }
}

// One worker, the one that status tells of; none if it tells of none. One that is being ended, or has just died, is waited for.
void Life::check_processes() {
  pid_t told = 0;
  std::vector<pid_t> workers;
  const auto agree = [&] {
    const auto status = rig_.status(id_);
    told = status ? status->pid : 0;
    workers = rig_.processes_named(name_);
    return told == 0 ? workers.empty() : workers.size() == 1 && workers[0] == told;
  };
  const uint64_t deadline_ns = monotonic_ns() + 2 * kSecond;
  bool do_agree = agree();
  while (!do_agree && monotonic_ns() < deadline_ns) {
    ::usleep(1000);
    do_agree = agree();
  }
  if (!do_agree) problem(fmt::format("status tells of worker {}, there are: {}", told, fmt::join(workers, " ")));
}

void Life::check_players() {
  for (const Player* player : {&ann_, &bob_}) {
    if (!player->complaint().empty()) problem(player->complaint());
  }
  // Bob came later: what he has heard is the end of what ann has.
  const auto& all = ann_.heard();
  const auto& part = bob_.heard();
  const size_t common = std::min(all.size(), part.size());
  size_t differing = 0;
  if (!all.empty() && !part.empty()) {
    const uint64_t last = std::min(all.back().sequence, part.back().sequence);
    for (const HeardOutput& output : part) {
      if (output.sequence > last || output.sequence < all.front().sequence) continue;
      const auto same = std::lower_bound(all.begin(), all.end(), output.sequence,
                                         [](const HeardOutput& a, uint64_t sequence) { return a.sequence < sequence; });
      if (same == all.end() || !(*same == output)) ++differing;
    }
  }
  if (common == 0) problem("a player has heard nothing");
  if (differing != 0) problem(fmt::format("{} outputs differ between the players", differing));
}

void Life::check_awards() {
  const auto stored = rig_.awards(id_);
  if (!stored) return problem("the results cannot be read");
  const auto& expected = ann_.model().awards();
  if (stored->size() != expected.size()) {
    problem(fmt::format("the database has {} results instead of {}", stored->size(), expected.size()));
  }
  for (size_t i = 0; i < std::min(stored->size(), expected.size()); ++i) {
    const StoredAward& is = (*stored)[i];
    const test::LedgerModel::Award& should = expected[i];
    if (is.sequence != i + 1 || is.seat != should.seat || is.number != should.number || is.balance != should.balance) {
      problem(
          fmt::format("result {} is sequence {} for entry {} of seat {}, with balance {}; it should be entry {} of seat {}, {}",
                      i + 1, is.sequence, is.number, is.seat, is.balance, should.number, should.seat, should.balance));
    }
  }
}

// Asked for until it is so: an answer may be lost, and so may a wish that nobody was answered for.
void Life::put_down() {
  until("the arena is stopped", [&] {
    const auto status = rig_.status(id_);
    if (!status) throw GivenUp{"arenad does not know the arena"};
    if (status->state == "stopped") return true;
    const auto stopped = rig_.stop_arena(id_);
    if (!stopped && stopped.error().code != ErrorCode::unreachable && !has_fired()) {
      throw GivenUp{"the stop is refused: " + stopped.error().text()};
    }
    return false;
  });
  until("the players are told", [&] { return !ann_.gone().empty() && !bob_.gone().empty(); });
  check_processes();
}

// What was put down is what was played.
void Life::play_on_from_the_database() {
  if (auto restarted = rig_.restart_arena(id_); !restarted) return problem("cannot start again: " + restarted.error().text());
  for (Player* player : {&ann_, &bob_}) {
    player->leave();
    attach(*player);
  }
  play(1);
  put_down();
}

// What has failed once is as good as before, and not only for who has met it: the next run begins with it.
void Life::start_another() {
  const ArenaId other = ArenaId::make(unix_ms(), random_u64(), random_u64());
  until("another arena starts", [&] { return rig_.start_arena(other, name_ + "-next", "ledger", 0).ok(); });
  until("another arena is stopped", [&] { return rig_.stop_arena(other).ok(); });
}

Outcome Life::run() {
  if (calls_ == nullptr && !plan_.calls.empty()) {
    problem("the calls of these processes are not watched");
    return std::move(outcome_);
  }
  try {
    if (plan_.scenario == Scenario::templates) kill_templates();
    arm();
    begin();
    attach(ann_);
    attach(bob_);
    play(3);
    burst(2);
    switch (plan_.scenario) {
      case Scenario::play:
      case Scenario::templates:
        break;
      case Scenario::recovery:
        kill_worker();
        break;
      case Scenario::adoption:
        kill_arenad();
        break;
      case Scenario::everybody:
        kill_everybody();
        break;
      case Scenario::handover:
        change_code(other_version());
        break;
      case Scenario::takeback:
        change_code("ledger_dies_at_once");
        break;
      case Scenario::upgrade:
        upgrade();
        break;
      case Scenario::rollout:
        roll_on();
        break;
    }
    hear_all();
    play(2);
    burst(2);
    hear_all();
    settle();
    put_down();
    look_at_traps();
    check_awards();
    if (plan_.scenario == Scenario::play) play_on_from_the_database();
    check_players();
    check_awards();
    if (!plan_.calls.empty()) start_another();
  } catch (const GivenUp& given_up) {
    if (outcome_.fired.empty()) look_at_traps();
    problem(given_up.what);
    if (!ann_.complaint().empty()) problem(ann_.complaint());
    if (!bob_.complaint().empty()) problem(bob_.complaint());
  }
  outcome_.frames_compared = ann_.model().frames_compared() + bob_.model().frames_compared();
  return std::move(outcome_);
}

}  // namespace

const char* to_string(Scenario scenario) {
  switch (scenario) {
    case Scenario::play:
      return "play";
    case Scenario::recovery:
      return "recovery";
    case Scenario::adoption:
      return "adoption";
    case Scenario::everybody:
      return "everybody";
    case Scenario::templates:
      return "templates";
    case Scenario::handover:
      return "handover";
    case Scenario::takeback:
      return "takeback";
    case Scenario::upgrade:
      return "upgrade";
    case Scenario::rollout:
      return "rollout";
  }
  return "?";
}

const char* to_string(Pace pace) {
  switch (pace) {
    case Pace::still:
      return "still";
    case Pace::ticking:
      return "ticking";
  }
  return "?";
}

Outcome run_scenario(Rig& rig, const Plan& plan, uint64_t number, CallTable* calls) {
  return Life(rig, plan, number, calls).run();
}

}  // namespace arenad::sweep
