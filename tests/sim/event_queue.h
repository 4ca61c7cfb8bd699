// Virtual time: what is to happen, in the order of (time, sequence). One thread; nothing else makes time pass.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace arenad::sim {

constexpr uint64_t kUs = 1'000;
constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

class EventQueue {
 public:
  [[nodiscard]] uint64_t now_ns() const { return now_ns_; }
  void after(uint64_t delay_ns, std::function<void()> happens) {
    heap_.push_back({now_ns_ + delay_ns, next_sequence_++, std::move(happens)});
    std::push_heap(heap_.begin(), heap_.end(), is_later);
  }
  // Runs everything up to and including this time.
  void run_until(uint64_t end_ns) {
    while (!heap_.empty() && heap_.front().at_ns <= end_ns) {
      std::pop_heap(heap_.begin(), heap_.end(), is_later);
      Entry next = std::move(heap_.back());
      heap_.pop_back();
      now_ns_ = next.at_ns;
      ++events_;
      next.happens();
    }
    now_ns_ = std::max(now_ns_, end_ns);
  }
  [[nodiscard]] uint64_t events() const { return events_; }

 private:
  struct Entry {
    uint64_t at_ns;
    uint64_t sequence;
    std::function<void()> happens;
  };
  static bool is_later(const Entry& a, const Entry& b) {
    return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.sequence > b.sequence;
  }

  std::vector<Entry> heap_;
  uint64_t now_ns_ = 0;
  uint64_t next_sequence_ = 0;
  uint64_t events_ = 0;
};

}  // namespace arenad::sim
