// What happens to an arena next: every state with every event, and long random lives.
#include "supervisor/arena_lifecycle.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using arenad::test::Random;
using arenad::test::test_seed;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;
constexpr uint64_t kMiddle = 1ull << 63;  // the delay without its spread

// A crash is followed by the next incarnation at once, as often as one likes.
constexpr RestartPolicy kRoomy = {.intensity = 1000, .first_delay_ns = 0};
constexpr RestartPolicy kWaits = {.intensity = 1000, .first_delay_ns = 50 * kMs};
constexpr RestartPolicy kOnce = {.intensity = 1, .first_delay_ns = 0};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string name_of(BeginWith with) {
  switch (with) {
    case BeginWith::nothing:
      return "nothing";
    case BeginWith::predecessor:
      return "predecessor";
    case BeginWith::predecessor_checkpoint:
      return "predecessor+checkpoint";
    case BeginWith::checkpoint:
      return "checkpoint";
    case BeginWith::origin:
      return "origin";
  }
  return "?";
}

std::string text_of(const ArenaActions& actions) {
  std::string text;
  for (const ArenaAction& action : actions) {
    text += ' ';
    text += std::visit(Overloaded{
                           [](const act::BeginIncarnation& a) { return "begin:" + name_of(a.with); },
                           [](const act::KillWorker&) { return std::string("kill"); },
                           [](const act::TellFinish&) { return std::string("finish"); },
                           [](const act::StartDelay&) { return std::string("delay"); },
                           [](const act::ArmReadyDeadline&) { return std::string("arm-ready"); },
                           [](const act::ArmStopDeadline&) { return std::string("arm-stop"); },
                           [](const act::DisarmDeadline&) { return std::string("disarm"); },
                           [](const act::AnnounceGone&) { return std::string("gone"); },
                           [](const act::Persist&) { return std::string("persist"); },
                           [](const act::CheckpointLast&) { return std::string("checkpoint-last"); },
                       },
                       action);
  }
  return text;
}

// "state: actions", and an operator's verdict in front.
std::string told(const ArenaLifecycle& arena, const ArenaActions& actions) {
  return std::string(to_string(arena.state())) + ":" + text_of(actions);
}

std::string told(const ArenaLifecycle& arena, const Answer& answer) {
  switch (answer.verdict) {
    case Verdict::accepted:
      return "accepted " + told(arena, answer.actions);
    case Verdict::already:
      return "already " + told(arena, answer.actions);
    case Verdict::refused:
      return "refused " + told(arena, answer.actions);
  }
  return "?";
}

ArenaLifecycle begun(BeginWith with, const RestartPolicy& policy = kRoomy) {
  ArenaLifecycle arena(ArenaState::starting, policy);
  (void)arena.begin(with);
  return arena;
}

ArenaLifecycle running(const RestartPolicy& policy = kRoomy) {
  ArenaLifecycle arena = begun(BeginWith::nothing, policy);
  (void)arena.worker_live(0);
  return arena;
}

std::string crash(ArenaLifecycle& arena, uint64_t now_ns = 0) {
  return told(arena, arena.worker_ended(WorkerEnd::crashed, now_ns, kMiddle));
}

// On the shortest way that an arena can take there.
ArenaLifecycle in_state(ArenaState state) {
  ArenaLifecycle arena = running(state == ArenaState::backing_off ? kWaits : kRoomy);
  switch (state) {
    case ArenaState::starting:
      return begun(BeginWith::nothing);
    case ArenaState::running:
      break;
    case ArenaState::recovering:
      crash(arena);
      break;
    case ArenaState::backing_off:
      crash(arena);
      crash(arena);
      break;
    case ArenaState::restarting:
      (void)arena.restart(0, BeginWith::predecessor);
      break;
    case ArenaState::stopping:
      (void)arena.stop();
      break;
    case ArenaState::stopped:
      (void)arena.stop();
      (void)arena.worker_ended(WorkerEnd::finished, 0, kMiddle);
      break;
    case ArenaState::ended:
      (void)arena.worker_ended(WorkerEnd::ended, 0, kMiddle);
      break;
    case ArenaState::failed:
      arena = running(kOnce);
      crash(arena);
      crash(arena);
      break;
    case ArenaState::lost:
      crash(arena);
      (void)arena.worker_ended(WorkerEnd::refused_no_snapshot, 0, kMiddle);
      (void)arena.worker_ended(WorkerEnd::refused_no_snapshot, 0, kMiddle);
      break;
  }
  REQUIRE(arena.state() == state);
  return arena;
}

struct Event {
  const char* name;
  std::string (*happens)(ArenaLifecycle& arena);
};

template <WorkerEnd end>
std::string ends(ArenaLifecycle& arena) {
  return told(arena, arena.worker_ended(end, 0, kMiddle));
}

constexpr std::array<Event, 15> kEvents = {{
    {"live", [](ArenaLifecycle& arena) { return told(arena, arena.worker_live(0)); }},
    {"crashed", ends<WorkerEnd::crashed>},
    {"finished", ends<WorkerEnd::finished>},
    {"ended", ends<WorkerEnd::ended>},
    {"refused: parameters", ends<WorkerEnd::refused_params>},
    {"refused: state", ends<WorkerEnd::refused_state>},
    {"refused: no snapshot", ends<WorkerEnd::refused_no_snapshot>},
    {"refused: broken log", ends<WorkerEnd::refused_broken_log>},
    {"refused: system", ends<WorkerEnd::refused_system>},
    {"refused: divergence", ends<WorkerEnd::refused_divergence>},
    {"crashed, excused",
     [](ArenaLifecycle& arena) { return told(arena, arena.worker_ended(WorkerEnd::crashed, 0, kMiddle, Charge::excused)); }},
    {"delay over", [](ArenaLifecycle& arena) { return told(arena, arena.delay_over()); }},
    {"overdue", [](ArenaLifecycle& arena) { return told(arena, arena.overdue()); }},
    {"stop", [](ArenaLifecycle& arena) { return told(arena, arena.stop()); }},
    {"restart", [](ArenaLifecycle& arena) { return told(arena, arena.restart(0, BeginWith::predecessor)); }},
}};

constexpr const char* kFailed = "failed: disarm persist gone";
constexpr const char* kEnded = "ended: disarm checkpoint-last gone";
constexpr const char* kStartAgain = "starting: begin:nothing arm-ready";
constexpr const char* kAgain = "recovering: begin:predecessor arm-ready";
constexpr const char* kAgainToStop = "stopping: begin:predecessor arm-ready";

struct Row {
  ArenaState state;
  std::array<const char*, kEvents.size()> expected;  // in the order of kEvents
};

// Written from the table at the head of arena_lifecycle.h.
constexpr std::array<Row, 10> kTable = {{
    {ArenaState::starting,
     {"running: disarm persist", kStartAgain, kStartAgain, kEnded, kFailed, kFailed, kFailed, kFailed, kFailed, kFailed,
      kStartAgain, "starting:", "starting: kill", "accepted stopping:", "refused starting:"}},
    {ArenaState::running,
     {"running:", kAgain, kAgain, kEnded, kAgain, kAgain, kAgain, kAgain, kAgain, kAgain, kAgain,
      "running:", "running:", "accepted stopping: finish arm-stop", "accepted restarting: finish arm-stop"}},
    {ArenaState::recovering,
     {"running: disarm persist", kAgain, kAgain, kEnded, kFailed, kFailed, "recovering: begin:predecessor+checkpoint arm-ready",
      "recovering: begin:predecessor+checkpoint arm-ready", kAgain, kFailed, kAgain, "recovering:", "recovering: kill",
      "accepted stopping:", "refused recovering:"}},
    {ArenaState::backing_off,
     {"backoff:", "backoff:", "backoff:", "backoff:", "backoff:", "backoff:", "backoff:", "backoff:", "backoff:", "backoff:",
      "backoff:", kAgain, "backoff:", "accepted stopped: disarm persist gone",
      "accepted recovering: begin:predecessor arm-ready"}},
    {ArenaState::restarting,
     {"restarting:", kAgain, kAgain, kEnded, kAgain, kAgain, kAgain, kAgain, kAgain, kAgain, kAgain,
      "restarting:", "restarting: kill", "accepted stopping: finish arm-stop", "already restarting:"}},
    {ArenaState::stopping,
     {"stopping: finish arm-stop", kAgainToStop, "stopped: disarm checkpoint-last gone", kEnded, kFailed, kFailed,
      "stopping: begin:predecessor+checkpoint arm-ready", "stopping: begin:predecessor+checkpoint arm-ready", kAgainToStop,
      kFailed, kAgainToStop, "stopping:", "stopping: kill", "accepted stopping:", "refused stopping:"}},
    {ArenaState::stopped,
     {"stopped:", "stopped:", "stopped:", "stopped:", "stopped:", "stopped:", "stopped:", "stopped:", "stopped:", "stopped:",
      "stopped:", "stopped:", "stopped:", "already stopped:", "accepted recovering: begin:predecessor arm-ready"}},
    {ArenaState::ended,
     {"ended:", "ended:", "ended:", "ended:", "ended:", "ended:", "ended:", "ended:", "ended:", "ended:", "ended:", "ended:",
      "ended:", "already ended:", "refused ended:"}},
    {ArenaState::failed,
     {"failed:", "failed:", "failed:", "failed:", "failed:", "failed:", "failed:", "failed:", "failed:", "failed:", "failed:",
      "failed:", "failed:", "already failed:", "accepted recovering: begin:predecessor arm-ready"}},
    {ArenaState::lost,
     {"lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:", "lost:",
      "already lost:", "refused lost:"}},
}};

}  // namespace

TEST_CASE("arena lifecycle: every state, every event") {
  for (const Row& row : kTable) {
    for (size_t i = 0; i < kEvents.size(); ++i) {
      ArenaLifecycle arena = in_state(row.state);
      const std::string cell = std::string(to_string(row.state)) + " x " + kEvents[i].name;
      CAPTURE(cell);
      CHECK(kEvents[i].happens(arena) == std::string(row.expected[i]));
    }
  }
}

TEST_CASE("arena lifecycle: what it begins with") {
  ArenaLifecycle arena(ArenaState::starting, kRoomy);
  SUBCASE("nothing: it is new") {
    CHECK(told(arena, arena.begin(BeginWith::nothing)) == "starting: begin:nothing arm-ready");
  }
  SUBCASE("a checkpoint: it goes on") {
    CHECK(told(arena, arena.begin(BeginWith::checkpoint)) == "recovering: begin:checkpoint arm-ready");
  }
}

TEST_CASE("arena lifecycle: an arena that went on from a checkpoint and lives has a predecessor like any other") {
  ArenaLifecycle arena = begun(BeginWith::checkpoint);
  SUBCASE("before it lives, the checkpoint is all there is") {
    CHECK(crash(arena) == "recovering: begin:checkpoint arm-ready");
  }
  SUBCASE("afterwards nothing is set back to the checkpoint") {
    (void)arena.worker_live(0);
    CHECK(crash(arena) == kAgain);
  }
}

TEST_CASE("arena lifecycle: both slots of an incarnation damaged; the next one has slots of its own") {
  ArenaLifecycle arena = in_state(ArenaState::recovering);
  CHECK(ends<WorkerEnd::refused_no_snapshot>(arena) == "recovering: begin:predecessor+checkpoint arm-ready");
  SUBCASE("a crash on the way does not forget the checkpoint") {
    CHECK(crash(arena) == "recovering: begin:predecessor+checkpoint arm-ready");
  }
  SUBCASE("alive again") {
    (void)arena.worker_live(0);
    CHECK(crash(arena) == kAgain);
    CHECK(ends<WorkerEnd::refused_broken_log>(arena) == "recovering: begin:predecessor+checkpoint arm-ready");
  }
  SUBCASE("nothing helped") {
    CHECK(ends<WorkerEnd::refused_broken_log>(arena) == "lost: disarm persist gone");
  }
}

TEST_CASE("arena lifecycle: the checkpoint alone is the last rung") {
  ArenaLifecycle arena = begun(BeginWith::checkpoint);
  CHECK(ends<WorkerEnd::refused_no_snapshot>(arena) == "lost: disarm persist gone");
}

TEST_CASE("arena lifecycle: no worker can be had") {
  SUBCASE("a new arena") {
    ArenaLifecycle arena = begun(BeginWith::nothing);
    CHECK(told(arena, arena.no_worker(0, kMiddle)) == kFailed);
  }
  SUBCASE("one that has lived: it counts as a crash") {
    ArenaLifecycle arena = in_state(ArenaState::recovering);
    CHECK(told(arena, arena.no_worker(0, kMiddle)) == kAgain);
    CHECK(arena.crashes() == 2);
  }
}

TEST_CASE("arena lifecycle: an arena that never ran is restarted from nothing, not from a predecessor that it never had") {
  ArenaLifecycle arena = begun(BeginWith::nothing);
  CHECK(crash(arena) == kStartAgain);
  CHECK(crash(arena) == kFailed);
  const Answer answer = arena.restart(0, BeginWith::nothing);
  CHECK(answer.verdict == Verdict::accepted);
  CHECK(text_of(answer.actions) == " begin:nothing arm-ready");
  SUBCASE("it dies once more") {
    CHECK(crash(arena) == kFailed);
  }
  SUBCASE("it is refused once more") {
    CHECK(ends<WorkerEnd::refused_system>(arena) == kFailed);
  }
  SUBCASE("it lives") {
    CHECK(told(arena, arena.worker_live(0)) == "running: disarm persist");
    CHECK(crash(arena) == kAgain);
  }
}

TEST_CASE("arena lifecycle: the budget") {
  SUBCASE("the second crash in a row waits") {
    ArenaLifecycle arena = running(kWaits);
    CHECK(crash(arena) == kAgain);
    const ArenaActions actions = arena.worker_ended(WorkerEnd::crashed, 0, kMiddle);
    CHECK(told(arena, actions) == "backoff: disarm delay");
    CHECK(std::get<act::StartDelay>(actions.back()).delay_ns == 50 * kMs);
    CHECK(told(arena, arena.delay_over()) == kAgain);
  }
  SUBCASE("used up") {
    ArenaLifecycle arena = running(kOnce);
    CHECK(crash(arena) == kAgain);
    CHECK(crash(arena) == "failed: disarm checkpoint-last gone");
    CHECK(arena.crashes() == 2);
  }
  SUBCASE("an operator's restart revives it, with all of its budget") {
    ArenaLifecycle arena = in_state(ArenaState::failed);
    (void)arena.restart(0, BeginWith::predecessor);
    CHECK(crash(arena) == kAgain);
  }
  SUBCASE("an operator's restart of a running arena is not charged") {
    ArenaLifecycle arena = running(kOnce);
    for (int i = 0; i < 10; ++i) {
      (void)arena.restart(0, BeginWith::predecessor);
      CHECK(ends<WorkerEnd::finished>(arena) == kAgain);
      (void)arena.worker_live(0);
    }
    CHECK(arena.crashes() == 0);
    CHECK(crash(arena) == kAgain);
  }
  SUBCASE("while stopping: what it had is recovered, after the delay") {
    ArenaLifecycle arena = running(kWaits);
    crash(arena);
    (void)arena.stop();
    CHECK(crash(arena) == "stopping: disarm delay");
    CHECK(told(arena, arena.stop()) == "accepted stopping:");
    CHECK(told(arena, arena.delay_over()) == kAgainToStop);
    CHECK(told(arena, arena.worker_live(0)) == "stopping: finish arm-stop");
    CHECK(ends<WorkerEnd::finished>(arena) == "stopped: disarm checkpoint-last gone");
  }
}

TEST_CASE("arena lifecycle: crashes that are forgotten leave its state, and give it its whole budget again") {
  for (const ArenaState state : {ArenaState::running, ArenaState::recovering, ArenaState::backing_off, ArenaState::failed}) {
    ArenaLifecycle arena = in_state(state);
    CAPTURE(to_string(state));
    CHECK(arena.has_crashed() == (state != ArenaState::running));
    CHECK(arena.forget_crashes() == (state != ArenaState::running));
    CHECK(arena.state() == state);
    CHECK_FALSE(arena.has_crashed());
    CHECK_FALSE(arena.forget_crashes());
    CHECK(arena.budget().charged(0) == 0);
  }
  ArenaLifecycle arena = running(kOnce);
  for (int round = 0; round < 3; ++round) {
    CHECK(crash(arena) == kAgain);
    (void)arena.worker_live(0);
    CHECK(arena.forget_crashes());
  }
  CHECK(crash(arena) == kAgain);
  CHECK(crash(arena).starts_with("failed"));
  // The restart that follows finds the whole budget too.
  CHECK(arena.forget_crashes());
  CHECK(arena.restart(0, BeginWith::predecessor).verdict == Verdict::accepted);
  (void)arena.worker_live(0);
  CHECK(crash(arena) == kAgain);
}

TEST_CASE("arena lifecycle: deaths for which a signal was to blame are not charged, and forgive no other") {
  ArenaLifecycle arena = running(kOnce);
  for (int i = 0; i < 10; ++i) {
    CHECK(told(arena, arena.worker_ended(WorkerEnd::crashed, 0, kMiddle, Charge::uncharged)) == kAgain);
    (void)arena.worker_live(0);
  }
  CHECK(arena.budget().charged(0) == 0);
  CHECK(crash(arena) == kAgain);
  (void)arena.worker_live(0);
  CHECK(told(arena, arena.worker_ended(WorkerEnd::crashed, 0, kMiddle, Charge::uncharged)) == kAgain);
  CHECK(arena.budget().charged(0) == 1);
}

TEST_CASE("arena lifecycle: deaths for which an event was to blame") {
  const auto excused = [](ArenaLifecycle& arena) {
    return told(arena, arena.worker_ended(WorkerEnd::crashed, 0, kMiddle, Charge::excused));
  };
  SUBCASE("neither of the two is charged: any number of such pairs leaves the budget whole") {
    ArenaLifecycle arena = running(kOnce);
    for (uint64_t i = 1; i <= 10; ++i) {
      CHECK(crash(arena) == kAgain);
      CHECK(excused(arena) == kAgain);
      (void)arena.worker_live(0);
      CHECK(arena.budget().charged(0) == 0);
      CHECK(arena.crashes() == 2 * i);
    }
    CHECK(crash(arena) == kAgain);
    CHECK(crash(arena) == "failed: disarm checkpoint-last gone");
  }
  SUBCASE("the next incarnation begins at once, also when a crash would have to wait") {
    ArenaLifecycle arena = running(kWaits);
    CHECK(crash(arena) == kAgain);
    CHECK(excused(arena) == kAgain);
  }
  SUBCASE("what it begins with stays: the checkpoint that was needed is needed still") {
    ArenaLifecycle arena = in_state(ArenaState::recovering);
    (void)ends<WorkerEnd::refused_no_snapshot>(arena);
    CHECK(excused(arena) == "recovering: begin:predecessor+checkpoint arm-ready");
  }
  SUBCASE("of a worker that was given up nothing is heard") {
    ArenaLifecycle arena = in_state(ArenaState::backing_off);
    CHECK(excused(arena) == "backoff:");
    CHECK(arena.crashes() == 2);
  }
}

TEST_CASE("arena lifecycle: a replay that must not diverge has diverged") {
  SUBCASE("the arena fails, and nothing is tried again") {
    ArenaLifecycle arena = in_state(ArenaState::recovering);
    CHECK(ends<WorkerEnd::refused_divergence>(arena) == kFailed);
    CHECK(told(arena, arena.delay_over()) == "failed:");
  }
  SUBCASE("also from the checkpoint") {
    ArenaLifecycle arena = begun(BeginWith::checkpoint);
    CHECK(ends<WorkerEnd::refused_divergence>(arena) == kFailed);
  }
  SUBCASE("an operator may try again: from the same predecessor") {
    ArenaLifecycle arena = in_state(ArenaState::recovering);
    (void)ends<WorkerEnd::refused_divergence>(arena);
    const Answer answer = arena.restart(0, BeginWith::predecessor);
    CHECK(told(arena, answer) == "accepted recovering: begin:predecessor arm-ready");
  }
}

TEST_CASE("arena lifecycle: a delay that was overtaken begins nothing") {
  ArenaLifecycle arena = in_state(ArenaState::backing_off);
  (void)arena.restart(0, BeginWith::predecessor);
  CHECK(told(arena, arena.delay_over()) == "recovering:");
  (void)arena.stop();
  CHECK(told(arena, arena.delay_over()) == "stopping:");
}

TEST_CASE("arena lifecycle: stopped before it lived") {
  ArenaLifecycle arena = begun(BeginWith::nothing);
  (void)arena.stop();
  SUBCASE("it lives, and is put down at once") {
    CHECK(told(arena, arena.worker_live(0)) == "stopping: finish arm-stop");
    CHECK(ends<WorkerEnd::finished>(arena) == "stopped: disarm checkpoint-last gone");
  }
  SUBCASE("it dies: there is nothing to recover") {
    CHECK(crash(arena) == kFailed);
  }
}

namespace {

// The part of the shell that a life depends on: which worker there is, which timers run.
class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(seed) { begin(); }

  void step() {
    now_ns_ += random_.one_in(20) ? random_.below(60 * kSecond) : random_.below(200 * kMs);
    const bool was_active = arena_.is_active();
    const uint64_t choice = random_.below(8);
    if (choice == 0) operator_stops();
    if (choice == 1) operator_restarts();
    if (choice == 2 && timer_) delay_over();
    if (choice == 3 && deadline_) overdue();
    if (choice >= 4) something_of_the_worker();
    check(was_active);
    if (!arena_.is_active() && random_.one_in(4)) begin();
  }
  [[nodiscard]] uint64_t begun() const { return begun_; }
  [[nodiscard]] uint64_t lives() const { return lives_; }

 private:
  enum class Worker { none, starting, live };

  void begin() {
    arena_ = ArenaLifecycle(ArenaState::starting, {.intensity = 3, .window_ns = 10 * kSecond, .healthy_ns = 5 * kSecond});
    worker_ = Worker::none;
    has_region_ = timer_ = deadline_ = told_to_finish_ = killed_ = false;
    charged_.clear();
    ++lives_;
    has_checkpoint_ = random_.one_in(3);
    carry_out(arena_.begin(has_checkpoint_ ? BeginWith::checkpoint : BeginWith::nothing));
    gone_ = 0;
  }

  void operator_stops() {
    const Answer answer = arena_.stop();
    if (answer.verdict != Verdict::accepted) REQUIRE(answer.actions.empty());
    carry_out(answer.actions);
  }

  void operator_restarts() {
    const bool revived = arena_.budget().state() == RestartBudget::State::given_up;
    const BeginWith source = has_region_       ? BeginWith::predecessor
                             : has_checkpoint_ ? BeginWith::checkpoint
                                               : BeginWith::nothing;
    const bool was_active = arena_.is_active();
    const Answer answer = arena_.restart(now_ns_, source);
    if (answer.verdict != Verdict::accepted) {
      REQUIRE(answer.actions.empty());
      return;
    }
    if (revived) charged_.clear();
    if (!was_active) gone_ = 0;
    restarted_ = !was_active;
    carry_out(answer.actions);
  }

  void delay_over() {
    timer_ = false;
    carry_out(arena_.delay_over());
  }

  void overdue() {
    deadline_ = false;
    carry_out(arena_.overdue());
  }

  void something_of_the_worker() {
    if (worker_ == Worker::none) return;
    const uint64_t choice = random_.below(10);
    if (killed_) return ended(WorkerEnd::crashed);
    if (worker_ == Worker::starting) {
      if (choice < 6) {
        worker_ = Worker::live;
        has_region_ = true;
        carry_out(arena_.worker_live(now_ns_));
        return;
      }
      constexpr std::array kRefusals = {WorkerEnd::refused_params,      WorkerEnd::refused_state,
                                        WorkerEnd::refused_no_snapshot, WorkerEnd::refused_broken_log,
                                        WorkerEnd::refused_system,      WorkerEnd::refused_divergence};
      if (choice == 6) return ended(kRefusals[random_.below(kRefusals.size())]);
      if (choice == 7) {
        worker_ = Worker::none;
        charge([&] { return arena_.no_worker(now_ns_, random_()); });
        return;
      }
      return ended(WorkerEnd::crashed);
    }
    if (told_to_finish_ && choice < 6) return ended(WorkerEnd::finished);
    if (choice == 6) return ended(WorkerEnd::ended);
    if (choice == 7) return ended(WorkerEnd::finished);
    if (choice >= 8) return ended(WorkerEnd::crashed);
  }

  void ended(WorkerEnd end) {
    worker_ = Worker::none;
    killed_ = told_to_finish_ = false;
    charge([&] { return arena_.worker_ended(end, now_ns_, random_()); });
  }

  template <class Ends>
  void charge(Ends&& ends) {
    const uint64_t crashes = arena_.crashes();
    const ArenaActions actions = ends();
    // The second try of a start is not charged.
    if (arena_.crashes() != crashes && arena_.is_active() && arena_.state() != ArenaState::starting) {
      charged_.push_back(now_ns_);
      std::erase_if(charged_, [&](uint64_t at) { return now_ns_ - at >= 10 * kSecond; });
      REQUIRE(charged_.size() <= 3);
    }
    carry_out(actions);
  }

  void carry_out(const ArenaActions& actions) {
    for (const ArenaAction& action : actions) {
      std::visit(Overloaded{
                     [&](const act::BeginIncarnation& a) {
                       REQUIRE(worker_ == Worker::none);
                       const bool from_region = a.with == BeginWith::predecessor || a.with == BeginWith::predecessor_checkpoint;
                       REQUIRE(from_region == has_region_);
                       if (a.with == BeginWith::checkpoint) REQUIRE(has_checkpoint_);
                       worker_ = Worker::starting;
                       ++begun_;
                     },
                     [&](const act::KillWorker&) {
                       REQUIRE(worker_ != Worker::none);
                       killed_ = true;
                     },
                     [&](const act::TellFinish&) {
                       REQUIRE(worker_ == Worker::live);
                       told_to_finish_ = true;
                     },
                     [&](const act::StartDelay& a) {
                       REQUIRE(a.delay_ns > 0);
                       REQUIRE(worker_ == Worker::none);
                       timer_ = true;
                     },
                     [&](const act::ArmReadyDeadline&) { deadline_ = true; },
                     [&](const act::ArmStopDeadline&) { deadline_ = true; },
                     [&](const act::DisarmDeadline&) { deadline_ = false; },
                     [&](const act::AnnounceGone&) { ++gone_; },
                     [](const act::Persist&) {},
                     [&](const act::CheckpointLast&) { REQUIRE(worker_ == Worker::none); },
                 },
                 action);
    }
  }

  void check(bool was_active) {
    const bool active = arena_.is_active();
    const bool restarted = std::exchange(restarted_, false);
    const std::string state = to_string(arena_.state());
    CAPTURE(state);
    if (!was_active && !restarted) REQUIRE_FALSE(active);
    REQUIRE(gone_ == (active ? 0 : 1));
    if (!active) {
      REQUIRE(worker_ == Worker::none);
      REQUIRE_FALSE(deadline_);
      return;
    }
    // Something is always to come that moves it on.
    REQUIRE((worker_ != Worker::none || timer_));
    if (worker_ == Worker::starting) REQUIRE((deadline_ || killed_));
    if (told_to_finish_) REQUIRE((deadline_ || killed_));
    if (arena_.state() == ArenaState::running) REQUIRE_FALSE(deadline_);
    if (arena_.state() == ArenaState::backing_off) REQUIRE(timer_);
  }

  Random random_;
  ArenaLifecycle arena_{ArenaState::starting, RestartPolicy{}};
  Worker worker_ = Worker::none;
  bool has_region_ = false;  // an incarnation has lived
  bool has_checkpoint_ = false;
  bool timer_ = false;  // as in the shell, nothing stops it but its end
  bool deadline_ = false;
  bool told_to_finish_ = false;
  bool killed_ = false;
  bool restarted_ = false;  // from a state in which nothing ran
  int gone_ = 0;            // in this life: from the beginning, or from a restart, to the next rest
  std::vector<uint64_t> charged_;
  uint64_t now_ns_ = 1;
  uint64_t begun_ = 0;
  uint64_t lives_ = 0;
};

}  // namespace

TEST_CASE("arena lifecycle: 100,000 random events") {
  Walk walk(test_seed());
  for (int i = 0; i < 100'000; ++i) walk.step();
  CHECK(walk.lives() > 100);
  CHECK(walk.begun() > walk.lives());
}
