// A report of a worker's end, or of a slow frame, as it is kept in the database (ipc/crash.capnp).
#pragma once

#include <optional>
#include <string>

#include "ipc/event_ref.h"
#include "ipc/incarnation.h"
#include "state/records.h"
#include "supervisor/black_box_reader.h"
#include "supervisor/death.h"

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
};

IncidentRecord report_of_death(const IncidentScene& scene, const Death& death, const DeathFacts& facts);
IncidentRecord report_of_slow_frame(const IncidentScene& scene, const SlowFrame& slow);

}  // namespace arenad
