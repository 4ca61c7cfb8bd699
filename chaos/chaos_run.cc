#include "chaos/chaos_run.h"

#include <algorithm>
#include <fmt/format.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// Far beyond what anything takes: what is not back by then never will be.
constexpr uint64_t kPatienceNs = 60 * kSecond;
constexpr uint64_t kLookAtArenadNs = 20 * kMillisecond;

bool concerns_others(const Fault& fault) {
  return fault.other_workers != Ends::never || fault.arenad != Ends::never;
}

}  // namespace

ChaosRun::ChaosRun(Stage& stage, const Plan& plan, StopSignals& signals, ChaosFindings& findings)
    : stage_(stage), plan_(plan), signals_(signals), findings_(findings), waiting_(plan.arenas.size()) {
  for (const Step& step : plan.steps) waiting_[step.arena].push_back(&step);
  for (auto& steps : waiting_) std::ranges::reverse(steps);
}

uint64_t ChaosRun::now_ms() const {
  return (monotonic_ns() - began_ns_) / kMillisecond;
}

void ChaosRun::violated(Invariant invariant, size_t arena, std::string text) {
  findings_.invariants.violated({invariant, plan_.arenas[arena].name, std::move(text), now_ms()});
}

void ChaosRun::violated(Invariant invariant, std::string text) {
  findings_.invariants.violated({invariant, "", std::move(text), now_ms()});
}

Result<void> ChaosRun::play() {
  began_ns_ = monotonic_ns();
  arenad_ = stage_.rig().arenad();
  for (size_t i = 0; i < stage_.arenas().size(); ++i) {
    epochs_.push_back(stage_.epoch(i));
    frames_.push_back(0);
  }
  size_t told = 0;
  for (;;) {
    begin_steps();
    stage_.turn();
    look_at_processes();
    look_at_players();
    finish_steps();
    const bool all_over = active_.empty() && std::ranges::all_of(waiting_, [](const auto& steps) { return steps.empty(); });
    if (on_progress && findings_.outcomes.size() != told) {
      told = findings_.outcomes.size();
      on_progress(told, plan_.steps.size());
    }
    if (all_over) break;
    if (stage_.rig().is_broken()) return make_error(ErrorCode::failed, "arena-keeper has ended, and with it all of the run");
    if (signals_.look() != Wish::go_on) {
      findings_.cut_short = true;
      break;
    }
  }
  if (converge()) judge_results();
  findings_.seconds = static_cast<double>(monotonic_ns() - began_ns_) / 1e9;
  return {};
}

void ChaosRun::begin_steps() {
  for (size_t arena = 0; arena < waiting_.size(); ++arena) {
    auto& steps = waiting_[arena];
    Stage::Arena& played = stage_.arenas()[arena];
    played.limit = steps.empty() ? UINT64_MAX : steps.back()->at;
    // The moment of this one does not come before the last one is over, which may need a further frame.
    const auto is_of_arena = [&](const Active& active) { return active.step->arena == arena; };
    if (std::ranges::any_of(active_, is_of_arena) && played.player->hears_all()) {
      played.limit = std::max(played.limit, played.player->said() + 1);
      played.entries = std::max(played.entries, played.player->said() + 1);
    }
    if (steps.empty()) continue;
    const Step& step = *steps.back();
    if (stage_.arenas()[arena].player->said() < step.at) continue;
    const Fault* fault = find_fault(step.fault);
    const std::string& gone = stage_.arenas()[arena].player->gone();
    if (fault == nullptr || !gone.empty()) {
      findings_.outcomes.push_back(
          {&step, fault == nullptr ? "there is no such fault" : "its arena is lost: " + gone, now_ms(), 0});
      steps.pop_back();
      continue;
    }
    if (!may_begin(step, *fault)) continue;
    steps.pop_back();
    strike(step, *fault);
  }
}

bool ChaosRun::may_begin(const Step& step, const Fault& fault) const {
  const auto is_of_arena = [&](const Active& active) { return active.step->arena == step.arena; };
  if (fault.alone && !active_.empty()) return false;
  if (std::ranges::any_of(active_, [](const Active& active) { return active.fault->alone; })) return false;
  // What is still to be undone would undo the next one too.
  if (std::ranges::any_of(active_, [](const Active& active) { return active.fault->heal && !active.healed; }) && step.compound)
    return false;
  if (step.compound) return true;
  if (std::ranges::any_of(active_, is_of_arena)) return false;
  if (concerns_others(fault)) return active_.empty();
  return std::ranges::none_of(active_, [](const Active& active) { return concerns_others(*active.fault); });
}

void ChaosRun::strike(const Step& step, const Fault& fault) {
  if (std::string missing = fault.missing(stage_); !missing.empty()) {
    findings_.outcomes.push_back({&step, std::move(missing), now_ms(), 0});
    return;
  }
  Active active{.step = &step,
                .fault = &fault,
                .strike = {step.arena, step.draw, stage_.arenas()[step.arena].worker},
                .since_ns = monotonic_ns(),
                .said = stage_.arenas()[step.arena].player->said(),
                .epochs = epochs_,
                .arenad = stage_.rig().arenad(),
                .was_alone = true};
  for (Active& other : active_) {
    if (other.step->arena != step.arena && !concerns_others(fault) && !concerns_others(*other.fault)) continue;
    other.was_alone = active.was_alone = false;
  }
  if (auto injected = fault.inject(stage_, active.strike); !injected) {
    findings_.outcomes.push_back({&step, injected.error().text(), now_ms(), 0});
    return;
  }
  active_.push_back(active);
}

// What has ended since the last look, and whether a fault that is not over may have ended it.
void ChaosRun::look_at_processes() {
  for (size_t arena = 0; arena < epochs_.size(); ++arena) {
    const uint64_t epoch = stage_.epoch(arena);
    if (epoch == epochs_[arena]) continue;
    const bool may = std::ranges::any_of(active_, [&](const Active& active) {
      return (active.step->arena == arena && active.fault->worker != Ends::never) || active.fault->other_workers != Ends::never;
    });
    if (may) {
      findings_.invariants.holds(Invariant::isolation);
    } else {
      violated(Invariant::isolation, arena,
               fmt::format("its worker was replaced (epoch {} after {}), by no fault", epoch, epochs_[arena]));
    }
    findings_.worker_ends += 1;
    epochs_[arena] = epoch;
  }
  if (monotonic_ns() - looked_at_arenad_ns_ < kLookAtArenadNs) return;
  looked_at_arenad_ns_ = monotonic_ns();
  const pid_t arenad = stage_.rig().arenad();
  if (arenad == 0 || arenad == arenad_) return;
  const bool may = std::ranges::any_of(active_, [](const Active& active) { return active.fault->arenad != Ends::never; });
  if (may) {
    findings_.invariants.holds(Invariant::arenad);
  } else {
    violated(Invariant::arenad, "arenad has ended, by no fault");
  }
  findings_.arenad_ends += 1;
  arenad_ = arenad;
}

void ChaosRun::look_at_players() {
  for (size_t arena = 0; arena < frames_.size(); ++arena) {
    const auto& player = *stage_.arenas()[arena].player;
    const uint64_t compared = player.model().frames_compared();
    findings_.invariants.holds(Invariant::state, compared - frames_[arena]);
    findings_.invariants.holds(Invariant::outputs, compared - frames_[arena]);
    frames_[arena] = compared;
  }
}

bool ChaosRun::is_over(const Active& active) {
  const size_t arena = active.step->arena;
  const auto& player = *stage_.arenas()[arena].player;
  if (active.fault->heal && !active.healed) return false;
  for (size_t i = 0; i < active.epochs.size(); ++i) {
    const Ends must = i == arena ? active.fault->worker : active.fault->other_workers;
    if (must == Ends::must && stage_.epoch(i) == active.epochs[i]) return false;
  }
  if (active.fault->arenad == Ends::must) {
    const pid_t now = stage_.rig().arenad();
    if (now == 0 || now == active.arenad) return false;
  }
  if (!active.fault->fired(stage_, active.strike)) return false;
  return player.heard_back() > active.said;
}

void ChaosRun::finish_steps() {
  for (size_t i = 0; i < active_.size();) {
    Active& active = active_[i];
    const uint64_t age_ns = monotonic_ns() - active.since_ns;
    if (active.fault->heal && !active.healed && age_ns > active.fault->heal_after_ms * kMillisecond) {
      active.healed = true;
      if (auto healed = active.fault->heal(stage_, active.strike); !healed) {
        violated(Invariant::fired, active.step->arena,
                 fmt::format("{} could not be undone: {}", active.fault->name, healed.error().text()));
      }
    }
    if (is_over(active)) {
      finish(active);
    } else if (age_ns > kPatienceNs || !stage_.arenas()[active.step->arena].player->gone().empty()) {
      violated(Invariant::recovery, active.step->arena,
               fmt::format("{}: after {:.0f} s it is not over: epoch {} was {}, {} of {} entries came back", active.fault->name,
                           static_cast<double>(age_ns) / 1e9, stage_.epoch(active.step->arena),
                           active.epochs[active.step->arena], stage_.arenas()[active.step->arena].player->heard_back(),
                           stage_.arenas()[active.step->arena].player->said()));
      findings_.outcomes.push_back({active.step, "", (active.since_ns - began_ns_) / kMillisecond, 0});
    } else {
      ++i;
      continue;
    }
    active_.erase(active_.begin() + static_cast<ptrdiff_t>(i));
  }
}

void ChaosRun::finish(const Active& active) {
  findings_.outcomes.push_back({active.step, "", (active.since_ns - began_ns_) / kMillisecond,
                                static_cast<double>(monotonic_ns() - active.since_ns) / 1e6});
  findings_.invariants.holds(Invariant::recovery);
  findings_.invariants.holds(Invariant::fired);
  // What it has ended is put down to it, and not to the next one.
  looked_at_arenad_ns_ = 0;
  look_at_processes();
  // With another fault on its way arenad cannot be right about either.
  if (active.was_alone) check_status(active.step->arena, *active.fault);
}

void ChaosRun::check_status(size_t arena, const Fault& fault) {
  const auto status = stage_.rig().status(stage_.arenas()[arena].id);
  if (!status) return violated(Invariant::status, arena, "arenad does not say what the arena does");
  findings_.rungs[status->rung] += 1;
  if (status->state != "running") violated(Invariant::status, arena, "it plays, and arenad says that it is " + status->state);
  if (status->epoch != stage_.epoch(arena))
    violated(Invariant::status, arena,
             fmt::format("it is at epoch {}, and arenad says {}", stage_.epoch(arena), status->epoch));
  const auto tells = [&](const char* what) { return status->last_exit.find(what) != std::string::npos; };
  const bool may_not_know = fault.leaves_no_note && tells("it left no trace");
  if (fault.worker == Ends::must && !fault.told.empty() && !tells(fault.told.c_str()) && !may_not_know) {
    violated(Invariant::status, arena,
             fmt::format("{}: arenad says that its worker ended by \"{}\", and not \"{}\"", fault.name, status->last_exit,
                         fault.told));
  }
  findings_.invariants.holds(Invariant::status);
}

// Everything is healed: players say what is left, and all must come back.
bool ChaosRun::converge() {
  for (const Active& active : active_) {
    if (active.fault->heal && !active.healed) (void)active.fault->heal(stage_, active.strike);
  }
  const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
  const auto is_done = [&](const Stage::Arena& arena) {
    return arena.player->hears_all() && (findings_.cut_short || arena.player->said() >= arena.entries);
  };
  for (Stage::Arena& arena : stage_.arenas()) arena.limit = findings_.cut_short ? arena.player->said() : UINT64_MAX;
  while (!std::ranges::all_of(stage_.arenas(), is_done) && monotonic_ns() < deadline_ns &&
         signals_.look() != Wish::end_at_once) {
    stage_.turn();
    look_at_players();
  }
  for (size_t i = 0; i < stage_.arenas().size(); ++i) {
    const test::LedgerPlayer& player = *stage_.arenas()[i].player;
    findings_.entries += player.said();
    findings_.frames_compared += player.model().frames_compared();
    findings_.invariants.holds(Invariant::lost, player.heard_back());
    if (player.heard_back() != player.said()) {
      violated(Invariant::lost, i, fmt::format("{} entries were said, {} came back", player.said(), player.heard_back()));
    }
    if (!player.complaint().empty()) violated(Invariant::outputs, i, player.complaint());
    if (!player.gone().empty()) violated(Invariant::recovery, i, "its player has lost it: " + player.gone());
  }
  return true;
}

void ChaosRun::judge_results() {
  for (size_t i = 0; i < stage_.arenas().size(); ++i) {
    const auto& expected = stage_.arenas()[i].player->model().awards();
    // They are in the database a moment after they were played.
    std::optional<std::vector<sweep::StoredAward>> stored;
    const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
    do {
      stored = stage_.rig().awards(stage_.arenas()[i].id);
    } while ((!stored || stored->size() < expected.size()) && monotonic_ns() < deadline_ns);
    if (!stored || stored->size() != expected.size()) {
      violated(Invariant::results, i,
               fmt::format("{} results are stored, of {}", stored ? stored->size() : 0, expected.size()));
      continue;
    }
    uint64_t state = expected.size();
    for (size_t k = 0; k < expected.size(); ++k) {
      const sweep::StoredAward& one = (*stored)[k];
      if (one.sequence != k + 1 || one.seat != expected[k].seat || one.number != expected[k].number ||
          one.balance != expected[k].balance) {
        violated(Invariant::results, i, fmt::format("result {} is another one than the model's", k + 1));
      }
      state = (state ^ one.balance) * 0x100000001B3ull;
    }
    findings_.invariants.holds(Invariant::results, expected.size());
    findings_.final_states.push_back((state ^ stage_.arenas()[i].player->model().count()) * 0x100000001B3ull);
  }
}

}  // namespace arenad::chaos
