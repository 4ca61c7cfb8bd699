// What the next arenad does first with an arena that the last one has left. Pure.
//
//   the database says  | a worker lives        | none lives, a region is kept | nothing is kept
//   -------------------+-----------------------+------------------------------+------------------------------------------
//   running            | wait for its offer    | recover from the region      | workers may live unseen: wait for an offer
//   failed             | end it                | keep the region              | -
//   stopped            | end it                | keep the region if it is     | -
//                      |                       | `live`, else forget it       |
//   saved, ended, lost | end it                | forget the region            | -
//
// An arena whose last incarnation is still `live` and that is stopped was put down while it waited for its restart: its region holds more
// than the database. And what is kept may be newer than what is written: disposition_now.
//
// Waiting is bounded. Whoever has not offered himself by then is ended first, so that no arena ever has two workers; then the arena
// is recovered from what is left: the newest region that has lived, else the checkpoint.
#pragma once

#include <vector>

#include "ipc/incarnation_layout.h"
#include "state/records.h"

namespace arenad {

// One incarnation, as far as it was kept.
struct KeptIncarnation {
  Epoch epoch;
  Stage stage = Stage::blank;  // of its region; blank also if there is none or it is not this arena's
  bool process_lives = false;
};

struct TakeUp {
  enum class How {
    await_offer,
    from_region,      // of `epoch`
    keep_region,      // of `epoch`, without a worker
    from_checkpoint,  // or from nothing, or not at all: as the database says
  };
  How how = How::from_checkpoint;
  Epoch epoch;
  bool operator==(const TakeUp&) const = default;
};

// `none`: nobody tells whether workers of this arena live.
enum class Manager { there, none };

// Incarnations that have run frames. One that has not is of no use: its predecessor has all of it.
inline const KeptIncarnation* newest_that_lived(const std::vector<KeptIncarnation>& kept) {
  const KeptIncarnation* newest = nullptr;
  for (const KeptIncarnation& one : kept) {
    const bool lived = one.stage == Stage::live || one.stage == Stage::finished || one.stage == Stage::ended;
    if (lived && (newest == nullptr || one.epoch > newest->epoch)) newest = &one;
  }
  return newest;
}

// What the database says of an arena may be old: if an incarnation later than the written epoch has lived, the arena was started again,
// and arenad died before that was written.
inline ArenaDisposition disposition_now(ArenaDisposition written, Epoch written_epoch,
                                        const std::vector<KeptIncarnation>& kept) {
  const bool may_be_started = written == ArenaDisposition::stopped || written == ArenaDisposition::failed ||
                              written == ArenaDisposition::saved;  // when arenad was stopped; the next one goes on with it
  const KeptIncarnation* newest = newest_that_lived(kept);
  return may_be_started && newest != nullptr && newest->epoch > written_epoch ? ArenaDisposition::running : written;
}

// `waited`: nobody is waited for any more.
enum class Wait { may_wait, waited };

inline TakeUp plan_take_up(ArenaDisposition disposition, const std::vector<KeptIncarnation>& kept, Manager manager, Wait wait) {
  const KeptIncarnation* newest = newest_that_lived(kept);
  const bool rests_with_region = disposition == ArenaDisposition::failed || (disposition == ArenaDisposition::stopped &&
                                                                             newest != nullptr && newest->stage == Stage::live);
  if (rests_with_region && newest != nullptr) return {TakeUp::How::keep_region, newest->epoch};
  if (disposition != ArenaDisposition::running) return {};
  if (wait == Wait::may_wait) {
    for (const KeptIncarnation& one : kept) {
      if (one.process_lives) return {TakeUp::How::await_offer, one.epoch};
    }
    if (manager == Manager::none) return {TakeUp::How::await_offer, {}};
  }
  if (newest != nullptr) return {TakeUp::How::from_region, newest->epoch};
  return {};
}

}  // namespace arenad
