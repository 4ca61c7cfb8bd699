// Says what is wrong with an arena's match, from evidence that was gathered outside of Arenad: what each client logged, the
// frames that were seen in shared memory, and the outputs of the same frames run again without a crash. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chaos/client_log.h"
#include "chaos/findings.h"
#include "chaos/frame_history.h"
#include "chaos/records.h"

namespace arenad::chaos {

// What `arena-worker --replay` gave for the frames of an arena.
struct Replay {
  std::vector<uint64_t> outputs;  // every output record, from the first of the match on
  uint64_t last_frame = 0;
  uint64_t events_applied = 0;
  uint64_t outputs_counted = 0;
  uint64_t divergences = 0;  // frames that gave other outputs than in the arena
};

enum class Ending {
  stopped,     // by us: whatever was sent before has to be in a frame
  match_over,  // by the game: what was sent after its last frame was too late
};

struct Evidence {
  std::string arena;  // its name
  const FrameHistory& history;
  std::span<const ClientLog> clients;  // the players and the observer
  const Replay& replay;
  Ending ending = Ending::stopped;
  uint64_t finishing_type = 0;  // of the output that ends every match that is over
  // What the arena's last incarnation says of the whole match.
  uint64_t events_applied = 0;
  uint64_t events_rejected = 0;
  uint64_t divergences = 0;
};

Findings judge(const Evidence& evidence);

// The parts of it.

// Which of an arena's outputs a client should have received.
struct Audience {
  Seat seat = 0;
  ClientLogWriter::Role role = ClientLogWriter::Role::player;
  uint64_t from_sequence = 1;
  [[nodiscard]] bool has(const RecordHeader& output) const;
};
// expected: all outputs of the arena in their order.
Findings compare_outputs(std::span<const RecordView> expected, const Audience& audience, std::span<const RecordView> received);

// How many events lie behind the position up to which frames have taken them.
uint64_t count_untaken(std::span<const RecordView> sent, uint64_t taken);

}  // namespace arenad::chaos
