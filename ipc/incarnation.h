// Both ends of an incarnation region (incarnation_layout.h): created by the worker, looked at by everyone else.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "arenad/code_hash.h"
#include "arenad/ids.h"
#include "ipc/black_box_layout.h"
#include "ipc/incarnation_layout.h"
#include "ipc/region.h"
#include "ipc/script_notes_layout.h"

namespace arenad {

constexpr uint64_t kScriptNotesBytes = kPageBytes;
static_assert(sizeof(ScriptNotes) <= kScriptNotesBytes);

struct IncarnationSizes {
  uint64_t frame_log_bytes = limits::kFrameLogBytes;  // powers of two, multiples of the page size
  uint64_t output_bytes = limits::kMinOutputRingBytes;
  uint64_t system_bytes = limits::kSystemRingBytes;
  uint64_t slot_bytes = 0;  // a multiple of the page size
  [[nodiscard]] uint64_t region_bytes() const {
    return kFirstPartOffset + frame_log_bytes + output_bytes + system_bytes + 2 * slot_bytes + kScriptNotesBytes;
  }
};

// The worker's end.
class Incarnation {
 public:
  static Result<Incarnation> create(const IncarnationSizes& sizes);
  // Names the arena; before stage() leaves blank.
  void assign(ArenaId arena, Epoch epoch, CodeHash code, uint64_t schema_hash, uint32_t pid);
  // At most 31 characters.
  void set_version(std::string_view version);
  void set_options(uint32_t tick_hz, uint32_t max_players);
  void set_restarts(uint32_t restarts);

  [[nodiscard]] const WorkerStatus& status() const {
    return *reinterpret_cast<const WorkerStatus*>(region_.data() + kStatusOffset);
  }
  WorkerStatus& status() { return *reinterpret_cast<WorkerStatus*>(region_.data() + kStatusOffset); }
  std::span<ChannelEntry> channels() {
    return {reinterpret_cast<ChannelEntry*>(region_.data() + kChannelTableOffset), limits::kMaxSlots};
  }
  BlackBox& black_box() { return *reinterpret_cast<BlackBox*>(region_.data() + kBlackBoxOffset); }
  ScriptNotes& script_notes() { return *reinterpret_cast<ScriptNotes*>(region_.data() + identity().script_notes.offset); }
  std::byte* log_ring() { return log_; }
  std::byte* output_ring() { return outputs_; }
  std::byte* system_ring() { return system_; }
  std::span<std::byte> slot(int index) {
    return {region_.data() + identity().slots[index].offset, identity().slots[index].bytes};
  }
  [[nodiscard]] const IncarnationSizes& sizes() const { return sizes_; }
  [[nodiscard]] const IncarnationIdentity& identity() const {
    return *reinterpret_cast<const IncarnationIdentity*>(region_.data());
  }
  void set_stage(Stage stage) { status().stage.store(static_cast<uint32_t>(stage), std::memory_order_release); }
  void set_phase(Phase phase) { status().phase.store(static_cast<uint32_t>(phase), std::memory_order_relaxed); }
  // It got somewhere.
  void beat() { status().beats.store(status().beats.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  [[nodiscard]] const Fd& fd() const { return region_.fd(); }

 private:
  IncarnationIdentity& mutable_identity() { return *reinterpret_cast<IncarnationIdentity*>(region_.data()); }
  Region region_;
  IncarnationSizes sizes_;
  std::byte* log_ = nullptr;
  std::byte* outputs_ = nullptr;
  std::byte* system_ = nullptr;
};

// Everyone else's end. The worker runs game code and is trusted least: whatever is read here is checked by who uses it.
class IncarnationView {
 public:
  static Result<IncarnationView> map(Fd fd);

  [[nodiscard]] const WorkerStatus& status() const {
    return *reinterpret_cast<const WorkerStatus*>(region_.data() + kStatusOffset);
  }
  [[nodiscard]] std::span<const ChannelEntry> channels() const {
    return {reinterpret_cast<const ChannelEntry*>(region_.data() + kChannelTableOffset), limits::kMaxSlots};
  }
  [[nodiscard]] Stage stage() const {
    const uint32_t value = status().stage.load(std::memory_order_acquire);
    return value <= static_cast<uint32_t>(Stage::ended) ? static_cast<Stage>(value) : Stage::blank;
  }
  // As of now; the worker may still be a spare.
  [[nodiscard]] ArenaId arena() const;
  [[nodiscard]] Epoch epoch() const;
  [[nodiscard]] CodeHash code() const;
  [[nodiscard]] std::string version() const;
  [[nodiscard]] uint32_t tick_hz() const;
  // Of the arena, before this incarnation.
  [[nodiscard]] uint32_t restarts() const;
  [[nodiscard]] uint32_t max_players() const;
  [[nodiscard]] uint32_t pid() const;

  [[nodiscard]] const BlackBox& black_box() const {
    return *reinterpret_cast<const BlackBox*>(region_.data() + kBlackBoxOffset);
  }
  // nullptr: the worker knows nothing of them.
  [[nodiscard]] const ScriptNotes* script_notes() const;
  [[nodiscard]] const std::byte* log_ring() const { return log_; }
  [[nodiscard]] const std::byte* output_ring() const { return outputs_; }
  [[nodiscard]] const std::byte* system_ring() const { return system_; }
  [[nodiscard]] std::span<const std::byte> slot(int index) const {
    return {region_.data() + places_.slots[index].offset, places_.slots[index].bytes};
  }
  [[nodiscard]] uint64_t log_capacity() const { return places_.frame_log.bytes; }
  [[nodiscard]] uint64_t output_capacity() const { return places_.outputs.bytes; }
  [[nodiscard]] uint64_t system_capacity() const { return places_.system.bytes; }
  [[nodiscard]] uint64_t bytes() const { return region_.bytes(); }
  [[nodiscard]] const Fd& fd() const { return region_.fd(); }

 private:
  [[nodiscard]] const IncarnationIdentity& identity() const {
    return *reinterpret_cast<const IncarnationIdentity*>(region_.data());
  }
  RegionView region_;
  IncarnationIdentity places_{};  // a private copy, checked once: the other side cannot move the parts later
  const std::byte* log_ = nullptr;
  const std::byte* outputs_ = nullptr;
  const std::byte* system_ = nullptr;
};

}  // namespace arenad
