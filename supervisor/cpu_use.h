// How much of a core a worker takes: of its processor time that of the last second. Pure: times and readings are given.
#pragma once

#include <cstdint>
#include <optional>

namespace arenad {

class CpuUse {
 public:
  static constexpr uint64_t kIntervalNs = 1'000'000'000;

  // Another worker.
  void reset() { *this = CpuUse(); }
  [[nodiscard]] bool is_due(uint64_t now_ns) const { return read_ns_ == 0 || now_ns - read_ns_ >= kIntervalNs; }
  // cpu_ns: what the worker has taken since it began.
  void read(uint64_t now_ns, uint64_t cpu_ns) {
    const bool is_comparable = read_ns_ != 0 && now_ns > read_ns_ && cpu_ns >= cpu_ns_;
    if (is_comparable) share_ = static_cast<double>(cpu_ns - cpu_ns_) / static_cast<double>(now_ns - read_ns_);
    read_ns_ = now_ns;
    cpu_ns_ = cpu_ns;
  }
  // 1: a whole core. Nothing before there were two readings.
  [[nodiscard]] std::optional<double> share() const { return share_; }

 private:
  uint64_t read_ns_ = 0;
  uint64_t cpu_ns_ = 0;
  std::optional<double> share_;
};

}  // namespace arenad
