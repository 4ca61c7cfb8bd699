// What arenactl's requests about crashes and quarantine tell, as a test wants it.
#pragma once

#include <string>
#include <vector>

#include "tests/real/daemon.h"
#include "tests/real/player.h"

namespace arenad::test {

struct ReportedFrame {
  std::string object;
  std::string build_id;
  uint64_t offset = 0;
};

struct Report {
  uint64_t id = 0;
  std::string name;
  std::string game_version;
  std::string build_id;
  uint64_t epoch = 0;
  uint64_t frame = 0;
  std::string kind;  // the words of the schema
  std::string cause;
  uint32_t signal = 0;
  int exit_code = 0;
  uint64_t address = 0;
  bool has_address = false;
  std::string phase;
  uint64_t sequence = 0;
  std::string player;
  uint64_t took_ms = 0;
  uint64_t quarantined = 0;
  double recovery_ms = 0;
  double start_ms = 0;
  double load_ms = 0;
  double replay_ms = 0;
  double detect_ms = 0;
  uint64_t overtaken_by = 0;
  std::string rung;
  uint64_t replayed_frames = 0;
  uint64_t replayed_events = 0;
  uint64_t ticks_lost = 0;
  std::vector<ReportedFrame> stack;  // of one that was asked for by its id
  std::vector<std::string> script;   // the same
};

enum class SlowFrames { left_out, included };
// Newest first.
std::vector<Report> crashes(const Daemon& daemon, const std::string& arena, SlowFrames slow = SlowFrames::left_out);
Report crash(const Daemon& daemon, uint64_t id);

struct Quarantined {
  uint64_t id = 0;
  std::string player;
  uint64_t sequence = 0;
  uint64_t type = 0;
  uint64_t incident = 0;
  std::string message;      // of one that was asked for by its id
  size_t schema_bytes = 0;  // the same
};
std::vector<Quarantined> quarantine(const Daemon& daemon);
Quarantined quarantined(const Daemon& daemon, uint64_t id);

// What becomes of an entry: the text of its item, or the error's.
Result<std::string> retry(const Daemon& daemon, uint64_t id);
Result<std::string> drop(const Daemon& daemon, uint64_t id);

// Sends it.
struct Wish {
  std::string how;
  std::string while_file;
  uint32_t ms = 0;
  enum class Times { many, once } times = Times::many;  // once: while_file is removed first
  enum class When { applied, in_tick } when = When::applied;
};
void misbehave(Player& player, const Wish& wish);

}  // namespace arenad::test
