// That arenad tells of each death what took how long, and that this can be true: the parts are the whole and none is negative, they
// agree with when arena-chaos itself has killed and with the deaths before and after (chaos/recovery_judge.h), and none is beyond its
// budget.
//
// arenad keeps a hundred reports of an arena, and has them no more when its database is taken away: so they are asked for whenever half as
// many workers have ended, or one has and some time is over. What is not complete then is asked for again at the end.
#include <map>

#include "chaos/checkers/catalogue.h"
#include "chaos/death_reports.h"
#include "chaos/recovery_judge.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kAskAfterEnds = kReportsOfAnArena / 2;
constexpr uint64_t kAskAfterNs = 2 * kSecond;
constexpr uint64_t kLookAtArenadEveryNs = 50 * kMillisecond;
constexpr uint64_t kPatienceForTheLastNs = 5 * kSecond;

class RecoveryTimes : public Checker {
 public:
  void begins(Scene& scene) override {
    reports_.emplace(scene.stage.rig().socket());
    arenad_ = scene.stage.rig().arenad();
    arenas_.resize(scene.stage.arenas().size());
    for (size_t arena = 0; arena < arenas_.size(); ++arena) arenas_[arena].asked_at_epoch = scene.stage.epoch(arena);
    (void)ask(scene, 0);  // its connection is there before what arenad has is counted
  }

  void looks(Scene& scene) override {
    look_at_arenad(scene);
    for (size_t arena = 0; arena < arenas_.size(); ++arena) {
      Told& told = arenas_[arena];
      const uint64_t epoch = scene.stage.epoch(arena);
      const uint64_t now_ns = monotonic_ns();
      const bool is_due = epoch >= told.asked_at_epoch + kAskAfterEnds ||
                          (epoch != told.asked_at_epoch && now_ns - told.asked_ns > kAskAfterNs);
      if (!is_due) continue;
      told.asked_ns = now_ns;
      if (ask(scene, arena)) told.asked_at_epoch = epoch;
    }
  }

  void at_rest(Scene& scene) override {
    look_at_arenad(scene);
    for (size_t arena = 0; arena < arenas_.size(); ++arena) {
      // The last report is completed, and in the database, a moment after the arena was seen to go on.
      const uint64_t deadline_ns = monotonic_ns() + kPatienceForTheLastNs;
      while ((!ask(scene, arena) || !wrong_with_all_of(arena).empty()) && monotonic_ns() < deadline_ns &&
             !scene.stage.is_called_off()) {
        scene.stage.turn();
      }
      judge(scene, arena);
    }
  }

  [[nodiscard]] std::vector<ToldDeath> deaths() const override {
    std::vector<ToldDeath> all;
    for (const Told& told : arenas_) {
      for (const auto& [heard_ns, death] : told.deaths) all.push_back(death);
    }
    return all;
  }

 private:
  struct Told {
    std::map<uint64_t, ToldDeath> deaths;  // by when arenad heard of it: another database counts its reports anew
    uint64_t asked_at_epoch = 0;
    uint64_t asked_ns = 0;
  };

  void look_at_arenad(Scene& scene) {
    if (monotonic_ns() - looked_at_arenad_ns_ < kLookAtArenadEveryNs) return;
    looked_at_arenad_ns_ = monotonic_ns();
    const pid_t arenad = scene.stage.rig().arenad();
    if (arenad != arenad_ && arenad != 0) arenads_ns_.push_back(looked_at_arenad_ns_);
    if (arenad != 0) arenad_ = arenad;
    if (scene.database_concerned) database_taken_ns_ = looked_at_arenad_ns_;
  }

  bool ask(Scene& scene, size_t arena) {
    auto told = reports_->ask(scene.stage.arenas()[arena].id);
    if (!told) return false;
    for (ToldDeath& death : *told) {
      death.arena = arena;
      // One that was heard of before is of another process that had the number.
      const uint64_t killed_ns = scene.stage.killed_ns(death.pid);
      if (killed_ns != 0 && killed_ns <= death.heard_ns)
        death.notice_ms = static_cast<double>(death.heard_ns - killed_ns) / 1e6;
      arenas_[arena].deaths.insert_or_assign(death.heard_ns, death);
    }
    return true;
  }

  [[nodiscard]] std::vector<std::string> wrong_with_all_of(size_t arena) const {
    std::vector<ToldDeath> deaths;
    for (const auto& [heard_ns, death] : arenas_[arena].deaths) deaths.push_back(death);
    std::vector<uint64_t> cut_off_ns = arenads_ns_;
    cut_off_ns.push_back(database_taken_ns_);
    return what_is_wrong_together(deaths, cut_off_ns);
  }

  void judge(Scene& scene, size_t arena) {
    for (const auto& [heard_ns, death] : arenas_[arena].deaths) {
      scene.invariants.holds(Invariant::times);
      for (std::string& wrong : what_is_wrong(death)) scene.violated(Invariant::times, arena, std::move(wrong));
    }
    for (std::string& wrong : wrong_with_all_of(arena)) scene.violated(Invariant::times, arena, std::move(wrong));
  }

  std::optional<DeathReports> reports_;
  std::vector<Told> arenas_;
  std::vector<uint64_t> arenads_ns_;  // when another one was seen
  uint64_t database_taken_ns_ = 0;    // until then reports may have gone with a database
  pid_t arenad_ = 0;
  uint64_t looked_at_arenad_ns_ = 0;
};

}  // namespace

std::unique_ptr<Checker> recovery_times() {
  return std::make_unique<RecoveryTimes>();
}

}  // namespace arenad::chaos
