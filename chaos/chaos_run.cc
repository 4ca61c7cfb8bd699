#include "chaos/chaos_run.h"

#include <algorithm>
#include <fmt/format.h>

#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/rig/ledger_player.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kLookAtArenadNs = 20 * kMillisecond;
// To be asked, arenad is.
constexpr uint64_t kAskAgainNs = 20 * kMillisecond;
// Then it is undone although it has not fired, and the run has that to say of it.
constexpr uint64_t kLongestUnhealedNs = 20 * kSecond;
// For want of an arenad, which another fault may just have ended.
constexpr uint64_t kLongestPutOffNs = 20 * kSecond;
// So long after a fault that was done by half, whom it may end may end by it.
constexpr uint64_t kAttemptNs = 5 * kSecond;

bool concerns_others(const Fault& fault) {
  return fault.other_workers != Ends::never || fault.arenad != Ends::never;
}

}  // namespace

ChaosRun::ChaosRun(Stage& stage, const Plan& plan, StopSignals& signals, ChaosFindings& findings)
    : stage_(stage), plan_(plan), signals_(signals), findings_(findings), waiting_(plan.arenas.size()) {
  for (const Step& step : plan.steps) waiting_[step.arena].push_back(&step);
  for (auto& steps : waiting_) std::ranges::reverse(steps);
}

uint64_t ChaosRun::rest_patience_ns() const {
  return stage_.is_called_off() ? std::min(patience_ns, patience_once_called_off_ns) : patience_ns;
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
    if (next_step) stage_.arenas()[i].entries = stage_.arenas()[i].planned = UINT64_MAX;
    complained_.push_back(false);
  }
  // What keeps arenad from answering, or what a fault waits for from coming, may be what is to be undone.
  stage_.do_meanwhile([this] { heal_what_is_due(); });
  const auto no_more = [](Stage* stage) { stage->do_meanwhile([] {}); };
  const std::unique_ptr<Stage, decltype(no_more)> until_the_end(&stage_, no_more);
  Scene before = scene();
  for (const auto& checker : checkers) checker->begins(before);
  for (;;) {
    take_steps();
    begin_steps();
    stage_.turn();
    look_at_processes();
    look_at_players();
    finish_steps();
    let_checkers_look();
    if (has_seen_enough()) return {};
    const bool all_over = active_.empty() && std::ranges::all_of(waiting_, [](const auto& steps) { return steps.empty(); });
    if (on_progress) on_progress(findings_.outcomes.size(), plan_.steps.size());
    if (all_over) break;
    if (stage_.rig().is_broken()) return make_error(ErrorCode::failed, "arena-keeper has ended, and with it all of the run");
    if (signals_.look() != Wish::go_on) {
      findings_.cut_short = true;
      break;
    }
  }
  if (!converge()) return {};
  judge_results();
  Scene rest = scene();
  for (const auto& checker : checkers) checker->at_rest(rest);
  findings_.seconds = static_cast<double>(monotonic_ns() - began_ns_) / 1e9;
  return {};
}

void ChaosRun::take_steps() {
  while (next_step && std::ranges::any_of(waiting_, [](const auto& steps) { return steps.empty(); })) {
    if (const Step* step = next_step(); step != nullptr) {
      waiting_[step->arena].insert(waiting_[step->arena].begin(), step);
      continue;
    }
    next_step = nullptr;
    for (auto& steps : waiting_) steps.clear();
    for (Stage::Arena& arena : stage_.arenas()) arena.entries = arena.player->said() + kEntriesAfterTheLast;
  }
}

void ChaosRun::begin_steps() {
  for (size_t arena = 0; arena < waiting_.size(); ++arena) {
    auto& steps = waiting_[arena];
    Stage::Arena& played = stage_.arenas()[arena];
    played.limit = steps.empty() ? UINT64_MAX : steps.back()->at;
    // The next step may wait for a moment that does not come before these are over, which may need further frames.
    for (const Active& active : active_) {
      if (active.step->arena != arena) continue;
      uint64_t needed = active.said + 1 + active.fault->plays_on + active.unsettled;
      if (played.player->hears_all()) needed = std::max(needed, played.player->said() + 1);
      played.limit = std::max(played.limit, needed);
      played.entries = std::max(played.entries, needed);
    }
    if (steps.empty()) continue;
    const Step& step = *steps.back();
    const Fault* fault = find_fault(step.fault);
    const std::string& gone = stage_.arenas()[arena].player->gone();
    // Whose player is gone never says as much as it takes.
    if (gone.empty() && stage_.arenas()[arena].player->said() < step.at) continue;
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
  const auto uses_the_same = [&](const Active& active) { return !fault.uses.empty() && active.fault->uses == fault.uses; };
  if (std::ranges::any_of(active_, uses_the_same)) return false;
  if (fault.alone && !active_.empty()) return false;
  if (fault.stops_workers && std::ranges::any_of(active_, [](const Active& active) { return active.fault->stops_workers; }))
    return false;
  if (std::ranges::any_of(active_, [](const Active& active) { return active.fault->alone; })) return false;
  const auto takes_its_arenad = [](const Fault& one, const Fault& other) {
    return one.needs_arenad && (other.arenad != Ends::never || other.replaces_arenad);
  };
  if (std::ranges::any_of(active_, [&](const Active& active) {
        return takes_its_arenad(fault, *active.fault) || takes_its_arenad(*active.fault, fault);
      })) {
    return false;
  }
  // What is still to be undone would undo the next one too.
  const auto is_in_the_way = [](const Active& active) {
    return active.fault->heal && !active.healed && active.fault->uses.empty();
  };
  if (step.compound && std::ranges::any_of(active_, is_in_the_way)) return false;
  // And what undoes itself would undo what is there already: a worker that is to hang would go on.
  if (fault.heal && fault.uses.empty() &&
      (std::ranges::any_of(active_, is_of_arena) || (concerns_others(fault) && !active_.empty()))) {
    return false;
  }
  if (step.compound) return true;
  if (std::ranges::any_of(active_, is_of_arena)) return false;
  if (concerns_others(fault)) return active_.empty();
  return std::ranges::none_of(active_, [](const Active& active) { return concerns_others(*active.fault); });
}

bool ChaosRun::may_be_put_off(const Step& step) {
  const uint64_t now_ns = monotonic_ns();
  return now_ns - put_off_since_ns_.try_emplace(&step, now_ns).first->second < kLongestPutOffNs && !stage_.is_called_off();
}

// Whom it is to end must live: the fault before may just have ended it, or end it while this one is prepared.
Result<void> ChaosRun::prepare(const Step& step, const Fault& fault) {
  const Strike strike{step.arena, step.draw};
  const auto are_there = [&] {
    return (fault.worker != Ends::must || lives(stage_.arenas()[step.arena].worker)) &&
           (fault.arenad != Ends::must || stage_.rig().arenad() != 0);
  };
  if (are_there() && !fault.prepare) return {};
  do {
    if (auto found = wait_until(stage_, "whom it is to end", are_there); !found) return found;
    if (auto prepared = fault.prepare ? fault.prepare(stage_, strike) : Result<void>(); !prepared) return prepared;
  } while (!are_there());
  // What has ended meanwhile is not put down to it.
  looked_at_arenad_ns_ = 0;
  look_at_processes();
  return {};
}

void ChaosRun::strike(const Step& step, const Fault& fault) {
  std::string missing = fault.missing(stage_);
  // What they say to the arena, and the versions that they bring, are the ledger's.
  const bool needs_ledger = fault.name.starts_with("client.") || fault.name.starts_with("code.");
  if (needs_ledger && stage_.arenas()[step.arena].player->ledger() == nullptr)
    missing = "it is for the ledger, and this is another game";
  if (!missing.empty()) {
    findings_.outcomes.push_back({&step, std::move(missing), now_ms(), 0, true});
    return;
  }
  if (auto prepared = prepare(step, fault); !prepared) {
    if (stage_.is_called_off()) return;
    findings_.outcomes.push_back({&step, prepared.error().text(), now_ms(), 0});
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
    // What it has done all the same is put down to it, and what it has left waiting strikes nobody.
    attempts_.push_back({step.arena, &fault, monotonic_ns() + kAttemptNs});
    if (fault.alone) stage_.rig().points().disarm();
    // Another fault of a compound may end whom it strikes after all was prepared: the next one is struck instead.
    const bool is_gone = !lives(active.strike.worker) || stage_.rig().arenad() != active.arenad;
    if ((is_gone || injected.error().code == ErrorCode::unreachable) && may_be_put_off(step)) {
      waiting_[step.arena].push_back(&step);
      return;
    }
    findings_.outcomes.push_back({&step, injected.error().text(), now_ms(), 0});
    return;
  }
  active_.push_back(active);
}

// What has ended since the last look, and whether a fault that is not over may have ended it.
void ChaosRun::look_at_processes() {
  std::erase_if(attempts_, [now_ns = monotonic_ns()](const Attempt& one) { return one.until_ns <= now_ns; });
  for (size_t arena = 0; arena < epochs_.size(); ++arena) {
    const uint64_t epoch = stage_.epoch(arena);
    if (epoch == epochs_[arena]) continue;
    const auto may_end_worker = [&](size_t struck, const Fault& fault) {
      return (struck == arena && fault.worker != Ends::never) || fault.other_workers != Ends::never;
    };
    const bool may =
        std::ranges::any_of(active_, [&](const Active& active) { return may_end_worker(active.step->arena, *active.fault); }) ||
        std::ranges::any_of(attempts_, [&](const Attempt& one) { return may_end_worker(one.arena, *one.fault); });
    if (may) {
      findings_.invariants.holds(Invariant::isolation);
    } else {
      violated(Invariant::isolation, arena,
               fmt::format("its worker was replaced (epoch {} after {}), by no fault", epoch, epochs_[arena]));
    }
    findings_.worker_ends += 1;
    findings_.successions.push_back({arena, now_ms(), epoch});
    epochs_[arena] = epoch;
  }
  if (monotonic_ns() - looked_at_arenad_ns_ < kLookAtArenadNs) return;
  looked_at_arenad_ns_ = monotonic_ns();
  const pid_t arenad = stage_.rig().arenad();
  if (arenad == 0 || arenad == arenad_) return;
  const bool may = std::ranges::any_of(active_, [](const Active& active) { return active.fault->arenad != Ends::never; }) ||
                   std::ranges::any_of(attempts_, [](const Attempt& one) { return one.fault->arenad != Ends::never; });
  if (may) {
    findings_.invariants.holds(Invariant::arenad);
  } else {
    violated(Invariant::arenad, "arenad has ended, by no fault");
  }
  findings_.arenad_ends += 1;
  findings_.arenads_ms.push_back(now_ms());
  arenad_ = arenad;
}

void ChaosRun::look_at_players() {
  for (size_t arena = 0; arena < frames_.size(); ++arena) {
    const auto& player = *stage_.arenas()[arena].player;
    const uint64_t compared = player.compared();
    findings_.invariants.holds(Invariant::state, compared - frames_[arena]);
    findings_.invariants.holds(Invariant::outputs, compared - frames_[arena]);
    frames_[arena] = compared;
    if (player.complaint().empty() || complained_[arena]) continue;
    complained_[arena] = true;
    violated(Invariant::outputs, arena, player.complaint());
  }
}

Scene ChaosRun::scene() const {
  Scene now{.stage = stage_,
            .invariants = findings_.invariants,
            .now_ms = now_ms(),
            .concerned = std::vector<bool>(epochs_.size()),
            .arenad_concerned = false,
            .database_concerned = false};
  for (const Active& active : active_) {
    now.concerned[active.step->arena] = true;
    now.arenad_concerned = now.arenad_concerned || active.fault->arenad != Ends::never;
    now.database_concerned = now.database_concerned || active.fault->takes_database;
    if (active.fault->other_workers != Ends::never) now.concerned.assign(epochs_.size(), true);
  }
  return now;
}

void ChaosRun::let_checkers_look() {
  if (checkers.empty()) return;
  Scene now = scene();
  for (const auto& checker : checkers) checker->looks(now);
}

bool ChaosRun::has_seen_enough() const {
  return until == Until::first_violation && findings_.invariants.violations() != 0;
}

std::string ChaosRun::awaits(Active& active) {
  const size_t arena = active.step->arena;
  if (active.fault->heal && !active.healed) return "it is not undone";
  for (size_t i = 0; i < active.epochs.size(); ++i) {
    const Ends must = i == arena ? active.fault->worker : active.fault->other_workers;
    if (must == Ends::must && stage_.epoch(i) == active.epochs[i])
      return fmt::format("the worker of {} is the one it was", stage_.arenas()[i].name);
  }
  if (active.fault->arenad == Ends::must) {
    const pid_t now = stage_.rig().arenad();
    if (now == 0) return "there is no arenad";
    if (now == active.arenad) return "arenad is the one it was";
  }
  if (!has_fired(active)) return "it has not fired";
  const auto& player = *stage_.arenas()[arena].player;
  if (player.heard_back() <= active.said) return "what was said since has not come back";
  const uint64_t now_ns = monotonic_ns();
  if (now_ns - active.asked_ns < kAskAgainNs) return "it is not settled";
  active.asked_ns = now_ns;
  // It may die once more on the way, and what strikes while it adopts is found by the one that has adopted.
  if (active.fault->arenad != Ends::never && !stage_.rig().answers()) return "arenad does not answer";
  if (active.fault->settled(stage_, {arena, active.step->draw})) return "";
  // What it waits for may need frames, which an arena without ticks has only when something is said.
  active.unsettled += 1;
  return "it is not settled";
}

void ChaosRun::heal_if_due(Active& active) {
  if (!active.fault->heal || active.healed) return;
  const uint64_t now_ns = monotonic_ns();
  const uint64_t age_ns = now_ns - active.since_ns;
  if (age_ns <= active.fault->heal_after_ms * kMillisecond) return;
  if (!has_fired(active) && age_ns <= kLongestUnhealedNs) {
    if (now_ns - active.asked_ns < kAskAgainNs) return;
    active.asked_ns = now_ns;
    active.unsettled += 1;
    return;
  }
  active.healed = true;
  if (auto healed = active.fault->heal(stage_, active.strike); !healed) {
    violated(Invariant::fired, active.step->arena,
             fmt::format("{} could not be undone: {}", active.fault->name, healed.error().text()));
  }
}

bool ChaosRun::has_fired(Active& active) const {
  active.fired = active.fired || active.fault->fired(stage_, active.strike);
  return active.fired;
}

void ChaosRun::heal_what_is_due() {
  for (Active& active : active_) heal_if_due(active);
}

void ChaosRun::finish_steps() {
  for (size_t i = 0; i < active_.size();) {
    Active& active = active_[i];
    const uint64_t age_ns = monotonic_ns() - active.since_ns;
    heal_if_due(active);
    const std::string awaited = awaits(active);
    if (awaited.empty()) {
      finish(active);
    } else if (age_ns > patience_ns || !stage_.arenas()[active.step->arena].player->gone().empty()) {
      violated(Invariant::recovery, active.step->arena,
               fmt::format("{}: after {:.0f} s it is not over, {}: epoch {} was {}, {} of {} entries came back",
                           active.fault->name, static_cast<double>(age_ns) / 1e9, awaited, stage_.epoch(active.step->arena),
                           active.epochs[active.step->arena], stage_.arenas()[active.step->arena].player->heard_back(),
                           stage_.arenas()[active.step->arena].player->said()));
      findings_.outcomes.push_back({active.step, "", (active.since_ns - began_ns_) / kMillisecond, 0});
      if (active.fault->alone) stage_.rig().points().disarm();
    } else {
      ++i;
      continue;
    }
    active_.erase(active_.begin() + static_cast<ptrdiff_t>(i));
  }
}

std::vector<Outcome::Ended> ChaosRun::ended_by(const Active& active) const {
  std::vector<Outcome::Ended> ended;
  for (size_t arena = 0; arena < active.epochs.size(); ++arena) {
    if (arena != active.step->arena && active.fault->other_workers == Ends::never) continue;
    for (uint64_t epoch = active.epochs[arena]; epoch < stage_.epoch(arena); ++epoch) ended.push_back({arena, epoch});
  }
  return ended;
}

void ChaosRun::finish(const Active& active) {
  findings_.outcomes.push_back({.step = active.step,
                                .not_run = "",
                                .at_ms = (active.since_ns - began_ns_) / kMillisecond,
                                .took_ms = static_cast<double>(monotonic_ns() - active.since_ns) / 1e6,
                                .ended = ended_by(active),
                                .was_alone = active.was_alone});
  findings_.invariants.holds(Invariant::recovery);
  findings_.invariants.holds(Invariant::fired);
  if (!active.fault->pretends.empty()) violated(Invariant::lost, active.step->arena, active.fault->pretends);
  // What it has ended is put down to it, and not to the next one.
  looked_at_arenad_ns_ = 0;
  look_at_processes();
  // With another fault on its way arenad cannot be right about either.
  if (!active.was_alone) return;
  check_status(active.step->arena, *active.fault);
  if (auto checked = active.fault->check(stage_, {active.step->arena, active.step->draw}); !checked) {
    violated(Invariant::recovery, active.step->arena, active.fault->name + ": " + checked.error().text());
  }
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
  if (!fault.rungs.empty() && std::ranges::find(fault.rungs, status->rung) == fault.rungs.end()) {
    violated(Invariant::recovery, arena, fmt::format("{}: its next worker began at the rung \"{}\"", fault.name, status->rung));
  }
  findings_.invariants.holds(Invariant::status);
}

// Everything is healed: players say what is left, and all must come back.
bool ChaosRun::converge() {
  for (const Active& active : active_) {
    if (active.fault->heal && !active.healed) (void)active.fault->heal(stage_, active.strike);
  }
  const uint64_t healed_ns = monotonic_ns();
  const auto is_done = [&](const Stage::Arena& arena) {
    return arena.player->hears_all() && (findings_.cut_short || arena.player->said() >= arena.entries);
  };
  for (Stage::Arena& arena : stage_.arenas()) arena.limit = findings_.cut_short ? arena.player->said() : UINT64_MAX;
  while (!std::ranges::all_of(stage_.arenas(), is_done) && monotonic_ns() - healed_ns < rest_patience_ns() &&
         signals_.look() != Wish::end_at_once) {
    if (!findings_.cut_short && stage_.is_called_off()) {
      findings_.cut_short = true;
      for (Stage::Arena& arena : stage_.arenas()) arena.limit = arena.player->said();
    }
    stage_.turn();
    look_at_players();
    let_checkers_look();
    if (has_seen_enough()) return false;
  }
  for (size_t i = 0; i < stage_.arenas().size(); ++i) {
    const Player& player = *stage_.arenas()[i].player;
    findings_.entries += player.said();
    findings_.frames_compared += player.compared();
    findings_.invariants.holds(Invariant::lost, player.heard_back());
    if (player.heard_back() != player.said()) {
      violated(Invariant::lost, i, fmt::format("{} entries were said, {} came back", player.said(), player.heard_back()));
    }
    if (!player.gone().empty()) violated(Invariant::recovery, i, "its player has lost it: " + player.gone());
  }
  return true;
}

void ChaosRun::judge_results() {
  for (size_t i = 0; i < stage_.arenas().size(); ++i) {
    const Player& player = *stage_.arenas()[i].player;
    findings_.final_states.push_back(stage_.arenas()[i].planned_state.value_or(player.digest()));
    if (player.ledger() == nullptr) continue;
    const auto& expected = player.ledger()->model().awards();
    // They are in the database a moment after they were played.
    std::optional<std::vector<sweep::StoredAward>> stored;
    const uint64_t deadline_ns = monotonic_ns() + rest_patience_ns();
    do {
      stored = stage_.stored_awards(i);
    } while ((!stored || stored->size() < expected.size()) && monotonic_ns() < deadline_ns);
    if (!stored || stored->size() != expected.size()) {
      violated(Invariant::results, i,
               fmt::format("{} results are stored, of {}", stored ? stored->size() : 0, expected.size()));
      continue;
    }
    for (size_t k = 0; k < expected.size(); ++k) {
      const sweep::StoredAward& one = (*stored)[k];
      if (one.sequence != k + 1 || one.seat != expected[k].seat || one.number != expected[k].number ||
          one.balance != expected[k].balance) {
        violated(Invariant::results, i, fmt::format("result {} is another one than the model's", k + 1));
      }
    }
    findings_.invariants.holds(Invariant::results, expected.size());
  }
}

}  // namespace arenad::chaos
