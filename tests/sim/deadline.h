// A limit of arenad's for what others do, as UvDeadline in supervisor/uv_handles.h: a timer for each look, and the real Patience. Goes with
// its arenad.
#pragma once

#include <cstdint>
#include <functional>

#include "supervisor/patience.h"

namespace arenad::sim {

class World;

class Deadline {
 public:
  Deadline(World& world, std::function<void()> over) : world_(world), over_(std::move(over)) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  void start(uint64_t limit_ns);
  void stop() { ++serial_; }
  [[nodiscard]] uint64_t began_ns() const { return began_ns_; }

 private:
  void look_in(uint64_t interval_ns);
  World& world_;
  std::function<void()> over_;
  Patience patience_;
  uint64_t serial_ = 0;  // of the last start or stop: an earlier timer does nothing
  uint64_t began_ns_ = 0;
};

}  // namespace arenad::sim
