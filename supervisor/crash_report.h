// A report of a worker's end, or of a slow frame, as it is kept in the database (ipc/crash.capnp).
#pragma once

#include <optional>
#include <string>

#include "ipc/event_ref.h"
#include "ipc/incarnation.h"
#include "state/records.h"
#include "supervisor/black_box_reader.h"
#include "supervisor/death.h"
#include "supervisor/recovery_times.h"

namespace arenad {

// Whose worker it was, and where it was in its work.
struct IncidentScene {
  uint64_t id = 0;
  ArenaId arena;
  std::string name;
  std::string game;
  std::string game_version;
  std::string build_id;
  Epoch epoch;
  pid_t pid = 0;
  FrameNumber frame;
  uint32_t phase = 0;
  std::optional<EventRef> applying;
  std::string player;  // who had sent it
  uint64_t took_ns = 0;
  uint64_t quarantined = 0;  // the entry that it led to
  SignOfLife last_sign;      // of a death
  uint64_t heard_ns = 0;     // when arenad heard of the death
};

// What brought the arena back after it.
struct RecoveryFacts {
  RecoveryTimes times;
  std::string rung;
  uint64_t replayed_frames = 0;
  uint64_t replayed_events = 0;
  uint64_t ticks_lost = 0;
};
// The same report with this in it; nothing if it is none that can be read.
std::optional<IncidentRecord> with_recovery(const IncidentRecord& death, const RecoveryFacts& recovery);
// The same with the death in it that came before the recovery from this one was over.
std::optional<IncidentRecord> overtaken_by(const IncidentRecord& death, uint64_t next);
// Ticks that were due and are never run, if the last frame began then and the next one begins now: a few are caught up (worker/tick_schedule.h).
uint64_t ticks_lost(uint64_t last_begun_ns, uint64_t now_ns, uint32_t tick_hz);

IncidentRecord report_of_death(const IncidentScene& scene, const Death& death, const DeathFacts& facts);
IncidentRecord report_of_slow_frame(const IncidentScene& scene, const SlowFrame& slow);

}  // namespace arenad
