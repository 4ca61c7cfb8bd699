// The region of a worker, written from outside as only a fault of the memory could: through /proc/PID/mem, while the worker is stopped.
// What cannot be done throws std::runtime_error: the worker has ended, or it is not ours to write to.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "ipc/fd.h"
#include "ipc/frame_log_layout.h"
#include "ipc/incarnation_layout.h"
#include "state/snapshot_layout.h"

namespace arenad::test {

class WorkerMemory {
 public:
  explicit WorkerMemory(pid_t worker);

  [[nodiscard]] std::vector<std::byte> read(uint64_t offset, size_t bytes) const;
  void write(uint64_t offset, std::span<const std::byte> bytes) const;
  template <class T>
  [[nodiscard]] T get(uint64_t offset) const {
    T value;
    std::memcpy(&value, read(offset, sizeof value).data(), sizeof value);
    return value;
  }
  template <class T>
  void put(uint64_t offset, const T& value) const {
    write(offset, std::as_bytes(std::span(&value, 1)));
  }
  void flip(uint64_t offset, unsigned bit) const { put(offset, static_cast<uint8_t>(get<uint8_t>(offset) ^ 1u << bit)); }

  // As it was when this was made.
  [[nodiscard]] const IncarnationIdentity& identity() const { return identity_; }

  // Snapshot slots. Nothing: it is being written, or never was.
  [[nodiscard]] std::optional<uint64_t> frame_of(int slot) const;
  [[nodiscard]] int newest() const;
  [[nodiscard]] int older() const { return 1 - newest(); }
  [[nodiscard]] uint64_t slot(int index) const { return identity_.slots[index].offset; }
  [[nodiscard]] uint64_t snapshot(int index) const { return slot(index) + sizeof(SlotHeader); }
  [[nodiscard]] SnapshotHeader header(int index) const { return get<SnapshotHeader>(snapshot(index)); }
  [[nodiscard]] uint64_t slot_bytes() const { return identity_.slots[0].bytes; }

  [[nodiscard]] uint64_t outputs_published() const {
    return get<uint64_t>(kStatusOffset + offsetof(WorkerStatus, outputs_published));
  }
  // Where what has this position in the stream of outputs lies.
  [[nodiscard]] uint64_t output_at(uint64_t position) const {
    return identity_.outputs.offset + position % identity_.outputs.bytes;
  }
  [[nodiscard]] uint64_t frame_decided() const { return get<uint64_t>(kStatusOffset + offsetof(WorkerStatus, frame_decided)); }
  // Where the log's record of a frame lies; nothing if it is not kept.
  [[nodiscard]] std::optional<uint64_t> record_of(uint64_t frame) const;

 private:
  Fd memory_;
  uint64_t base_ = 0;
  IncarnationIdentity identity_{};
};

}  // namespace arenad::test
