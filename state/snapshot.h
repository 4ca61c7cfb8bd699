// Writing and checking snapshots (snapshot_layout.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arenad/ids.h"
#include "arenad/result.h"
#include "state/snapshot_layout.h"

namespace arenad {

// What is written about an arena beside its state. Set by the worker at the end of a frame.
struct SnapshotFacts {
  ArenaId arena;
  Epoch epoch;
  FrameNumber frame;
  uint64_t time_unix_ns = 0;
  uint64_t outputs_position = 0;
  uint64_t outputs_count = 0;
  uint64_t system_position = 0;
  uint64_t system_count = 0;
  uint64_t state_type = 0;
  uint64_t schema_hash = 0;
  uint32_t tick_hz = 0;
  uint32_t max_players = 0;
  std::string game;
  std::string game_version;
  uint64_t events_applied = 0;  // in the arena's whole life
  uint64_t events_rejected = 0;
  bool ended = false;  // the game has ended the match with this frame
};

struct ChannelAt {
  ChannelId channel;
  Seat slot = 0;
  uint64_t position = 0;
  uint64_t next_sequence = 1;
  std::string player;
  bool broken = false;  // its records could not be told apart; it is to be expelled
  bool kicked = false;  // by the game; it is to leave
  bool let_in = true;   // the game has heard of it
};

// The size of a slot that takes states of this many bytes with any number of channels; a multiple of the page size.
uint64_t slot_bytes_for(uint64_t max_state_bytes);

// Lays a snapshot out in a slot. The state is built in place between begin() and publish(); giving up is simply not publishing.
class SlotWriter {
 public:
  explicit SlotWriter(std::span<std::byte> slot) : slot_(slot) {}
  // Space for the state, zeroed, as large as the slot allows.
  std::span<std::byte> begin(const SnapshotFacts& facts, std::span<const ChannelAt> channels);
  // The state takes state_words words of that space. Returns the snapshot's size in bytes.
  uint64_t publish(uint64_t state_words);

 private:
  SnapshotHeader& header();
  std::span<std::byte> slot_;
  uint64_t state_offset_ = 0;
  uint64_t dirty_bytes_ = 0;  // how much of the slot the last snapshot used
};

// A snapshot in private memory that has passed all checks.
class Snapshot {
 public:
  // Every check but whose it is: corrupt if anything is wrong.
  static Result<Snapshot> parse(std::vector<uint64_t> words);
  static Result<Snapshot> parse(std::string_view bytes);
  // Copies what a slot holds. Corrupt if it is not whole, or was overwritten during the copy.
  static Result<Snapshot> read_slot(std::span<const std::byte> slot);

  [[nodiscard]] const SnapshotFacts& facts() const { return facts_; }
  [[nodiscard]] const std::vector<ChannelAt>& channels() const { return channels_; }
  [[nodiscard]] const void* state() const { return words_.data() + state_word_; }
  [[nodiscard]] uint64_t state_words() const { return words_.size() - state_word_; }
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(words_.data()), words_.size() * 8}; }

 private:
  std::vector<uint64_t> words_;
  size_t state_word_ = 0;
  SnapshotFacts facts_;
  std::vector<ChannelAt> channels_;
};

// The frame that a slot claims to hold, without copying it; nothing if it is empty or being written.
std::optional<FrameNumber> published_frame(std::span<const std::byte> slot);

}  // namespace arenad
