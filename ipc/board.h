// Both ends of a board (board_layout.h).
#pragma once

#include "ipc/board_layout.h"
#include "ipc/futex.h"
#include "ipc/region.h"

namespace arenad {

// arenad's end.
class Board {
 public:
  static Result<Board> create();
  // Wakes the worker and all clients of the arena that sleep, so that they look at their sockets.
  void ring();
  void set_durable_frame(uint64_t frame) { layout().durable_frame.store(frame, std::memory_order_release); }
  void set_results_committed(uint64_t sequence) { layout().results_committed.store(sequence, std::memory_order_release); }
  [[nodiscard]] const Fd& fd() const { return region_.fd(); }

 private:
  BoardLayout& layout() { return *reinterpret_cast<BoardLayout*>(region_.data()); }
  Region region_;
};

class BoardView {
 public:
  static Result<BoardView> map(Fd fd);
  [[nodiscard]] uint32_t bell() const { return layout().bell.load(std::memory_order_acquire); }
  [[nodiscard]] FutexWait bell_wait(uint32_t seen) const { return {&layout().bell, seen}; }
  [[nodiscard]] uint64_t durable_frame() const { return layout().durable_frame.load(std::memory_order_acquire); }
  [[nodiscard]] uint64_t results_committed() const { return layout().results_committed.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] const BoardLayout& layout() const { return *reinterpret_cast<const BoardLayout*>(region_.data()); }
  RegionView region_;
};

}  // namespace arenad
