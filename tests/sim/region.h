// Simulated shared memory: what a worker writes (its incarnation's region), what a client writes (its channel), what arenad writes (a
// board). Positions count records, not bytes. As with memfds, a region is there for as long as anybody holds it.
//
// Members named truth_* are known to the checker only: whether somebody has damaged this.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "arenad/ids.h"
#include "ipc/frame_log_layout.h"
#include "ipc/incarnation_layout.h"
#include "supervisor/poison_watch.h"

namespace arenad::sim {

enum class EventKind : uint8_t {
  plain,
  poison,  // kills whoever applies it
  hang,    // whoever applies it never comes back
  slow,    // takes longer than the soft limit
  flaky,   // kills the first that applies it, and no other
};

struct Event {
  uint64_t sequence = 0;
  EventKind kind = EventKind::plain;
  uint64_t payload = 0;
};

// Written by one client.
struct Channel {
  explicit Channel(uint64_t records) : ring(records) {}
  std::vector<Event> ring;  // empty: a player of a checkpoint, whose own channel is gone
  uint64_t published = 0;   // sequence of the newest event
};

struct ChannelAt {
  ChannelId id;
  Seat slot = 0;
  uint64_t player = 0;
  uint64_t taken = 0;
};

struct Snapshot {
  ArenaId arena;
  Epoch epoch;
  FrameNumber frame;
  uint64_t state = 0;
  uint64_t outputs = 0;
  uint64_t results = 0;
  bool ended = false;
  std::vector<ChannelAt> channels;
};

inline uint64_t mixed(uint64_t a, uint64_t b) {
  uint64_t z = (a ^ b * 0x9E3779B97F4A7C15ull) + 0x632BE59BD9B4E019ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

inline uint64_t checksum_of(const Snapshot& s) {
  uint64_t sum = mixed(s.arena.high, s.arena.low);
  for (const uint64_t word : {s.epoch.value, s.frame.value, s.state, s.outputs, s.results, uint64_t{s.ended}})
    sum = mixed(sum, word);
  for (const ChannelAt& at : s.channels) {
    for (const uint64_t word : {at.id.value, uint64_t{at.slot}, at.player, at.taken}) sum = mixed(sum, word);
  }
  return sum;
}

struct StoredSnapshot {
  Snapshot snapshot;
  uint64_t checksum = 0;
  bool truth_damaged = false;
};

struct Slot {
  std::optional<FrameNumber> published;
  StoredSnapshot content;
};

struct Entry {
  FrameEntryKind kind = FrameEntryKind::take;
  Seat slot = 0;
  uint64_t value = 0;
  uint64_t player = 0;
  bool operator==(const Entry&) const = default;
};

struct LogRecord {
  uint64_t frame = 0;
  uint64_t time_ns = 0;
  uint64_t seed = 0;
  std::vector<Entry> entries;
  uint64_t checksum = 0;
  bool done = false;
  uint64_t outputs_end = 0;
  uint64_t outputs_hash = 0;
  bool truth_damaged = false;
};

inline uint64_t checksum_of(const LogRecord& r) {
  uint64_t sum = mixed(mixed(r.frame, r.time_ns), r.seed);
  for (const Entry& e : r.entries) {
    sum = mixed(mixed(sum, static_cast<uint64_t>(e.kind) << 32 | e.slot), mixed(e.value, e.player));
  }
  return sum;
}

struct Output {
  uint64_t position = 0;
  uint64_t frame = 0;
  uint64_t value = 0;
  bool operator==(const Output&) const = default;
};

// A broadcast ring; positions go on through all incarnations.
struct OutputRing {
  explicit OutputRing(uint64_t records) : ring(records) {}
  std::vector<Output> ring;
  uint64_t begin = 0;      // the first position that this ring ever had
  uint64_t published = 0;  // behind the last readable one
  uint64_t written = 0;
  [[nodiscard]] uint64_t oldest() const { return written > ring.size() ? std::max(begin, written - ring.size()) : begin; }
  [[nodiscard]] const Output& at(uint64_t position) const { return ring[position % ring.size()]; }
  void write(Output output) {
    output.position = written;
    ring[written++ % ring.size()] = output;
  }
};

struct SlotEntry {
  ChannelId channel;
  uint64_t released = 0;
};

// Written by one worker.
struct Region {
  Region(uint64_t output_records, uint64_t log_records) : log_capacity(log_records), outputs(output_records), results(256) {}
  ArenaId arena;
  Epoch epoch;
  Stage stage = Stage::blank;
  uint64_t log_capacity;
  std::deque<LogRecord> log;
  OutputRing outputs;
  OutputRing results;
  std::array<Slot, 2> slots;
  std::map<Seat, SlotEntry> seats;
  std::set<std::pair<uint64_t, uint64_t>>
      quarantined;  // (channel, sequence): as it was told, and so its successor knows it too

  uint64_t newest_channel = 0;  // the highest id that a frame has taken in
  uint64_t frame_decided = 0;
  uint64_t frame_done = 0;
  uint64_t beats = 0;
  uint64_t heartbeat_ns = 0;
  uint64_t live_since_ns = 0;
  bool in_frame = false;
  std::optional<EventRef> applying;
  bool black_box = false;  // it died of something that it did itself

  Rung rung = Rung::none;
  uint64_t restored_frame = 0;
  uint64_t replayed_frames = 0;
  uint64_t divergences = 0;
};

// Written by arenad.
struct Board {
  uint64_t durable_frame = 0;
  uint64_t results_committed = 0;
};

}  // namespace arenad::sim
