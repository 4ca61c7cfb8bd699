// The names of all mutants: mistakes that are planted in the real programs, to see whether arena-chaos notices them (ipc/mutant.h). In one
// list, so that `arena-chaos mutants` can plant each of them. A name that is used and not listed does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace arenad {

inline constexpr auto kMutants = std::to_array<std::string_view>({
    // worker/ and state/: how an incarnation begins
    "snapshot.checksum_not_checked",
    "recovery.older_slot_first",
    "recovery.output_sequence_begins_again",
    "recovery.outputs_given_again",
    "recovery.results_given_again",
    "recovery.unread_outputs_dropped",
    "recovery.waiting_events_dropped",
    "replay.one_frame_too_few",
    "replay.one_output_left_out",
    "release.before_checkpoint",
    "orphan.gives_up_at_once",
    // what lies in shared memory until it is read
    "event.damage_not_seen",
    "output.published_without_check",
    // supervisor/: deaths
    "death.epoch_reused",
    "death.exit_not_told",
    "death.neighbours_killed",
    "death.poison_not_blamed",
    "death.recovery_part_left_out",
    "death.region_left_open",
    "death.region_not_kept",
    "hang.never_ended",
    // the next arenad
    "adoption.epoch_of_before",
    "adoption.living_not_waited_for",
    "adoption.results_acknowledged",
    // versions of games
    "code.not_copied",
    // the database
    "checkpoint.acknowledged_before_commit",
    "checkpoint.never_written",
    "results.one_left_out",
    // what is told, and what is left
    "status.frame_of_last_checkpoint",
    "shutdown.sockets_left",
});

// Of a name in the list; anything else is an error of the compiler.
consteval size_t mutant(std::string_view name) {
  for (size_t i = 0; i < kMutants.size(); ++i) {
    if (kMutants[i] == name) return i;
  }
  throw "not in kMutants";
}

}  // namespace arenad
