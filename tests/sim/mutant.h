// Deliberate mistakes, made at the boundary of a core or in the simulated shells around it: each must be noticed by the checker.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace arenad::sim {

enum class Mutant {
  none,
  older_slot_first,
  no_slot_checksum,
  no_log_checksum,
  epoch_reused_after_adoption,
  one_output_not_suppressed,
  one_output_too_many_suppressed,
  records_released_too_early,
  adopt_whoever_offers,
  adopt_the_dead,
  second_worker_while_first_lives,
  successor_before_death,
  poison_skipped_after_one_death,
  poison_never_skipped,
  poison_charged,
  kills_from_outside_blame_events,
  unknown_commit_is_done,
  result_acknowledged_before_commit,
  log_after_frame,
  done_before_outputs,
  seed_drawn_anew_in_replay,
  other_channel_order_in_replay,
  quarantine_not_told_to_successor,
  checkpoint_instead_of_region,
  divergence_hidden,
  lost_without_asking_the_database,
  events_behind_the_snapshot_taken_again,
  results_of_predecessor_dropped,
  channel_ids_given_again,
  hang_in_recovery_blames_nobody,
  departed_channels_not_kept,
  damaged_checkpoints_begin_anew,
  old_row_believed,
  two_channels_at_one_seat,
  who_left_joins_again,
  record_not_with_last_checkpoint,
  earlier_stop_forgets,
  log_not_recorded_again,
  gap_counts_as_stall,
  deadline_counts_gap,
  who_left_in_a_replay_joins_again,
  count_  // not a mutant
};

constexpr std::array<std::string_view, static_cast<size_t>(Mutant::count_)> kMutantNames = {
    "none",
    "older-slot-first",
    "no-slot-checksum",
    "no-log-checksum",
    "epoch-reused-after-adoption",
    "one-output-not-suppressed",
    "one-output-too-many-suppressed",
    "records-released-too-early",
    "adopt-whoever-offers",
    "adopt-the-dead",
    "second-worker-while-first-lives",
    "successor-before-death",
    "poison-skipped-after-one-death",
    "poison-never-skipped",
    "poison-charged",
    "kills-from-outside-blame-events",
    "unknown-commit-is-done",
    "result-acknowledged-before-commit",
    "log-after-frame",
    "done-before-outputs",
    "seed-drawn-anew-in-replay",
    "other-channel-order-in-replay",
    "quarantine-not-told-to-successor",
    "checkpoint-instead-of-region",
    "divergence-hidden",
    "lost-without-asking-the-database",
    "events-behind-the-snapshot-taken-again",
    "results-of-predecessor-dropped",
    "channel-ids-given-again",
    "hang-in-recovery-blames-nobody",
    "departed-channels-not-kept",
    "damaged-checkpoints-begin-anew",
    "old-row-believed",
    "two-channels-at-one-seat",
    "who-left-joins-again",
    "record-not-with-last-checkpoint",
    "earlier-stop-forgets",
    "log-not-recorded-again",
    "gap-counts-as-stall",
    "deadline-counts-gap",
    "who-left-in-a-replay-joins-again",
};

constexpr std::optional<Mutant> mutant_named(std::string_view name) {
  for (size_t i = 0; i < kMutantNames.size(); ++i) {
    if (kMutantNames[i] == name) return static_cast<Mutant>(i);
  }
  return std::nullopt;
}

}  // namespace arenad::sim
