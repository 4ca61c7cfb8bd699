// What has happened, in order, to be looked at once per turn of the loop. A libuv callback only posts here and returns, so no object
// is changed or destroyed while one of its callbacks is on the stack.
#pragma once

#include <deque>
#include <functional>
#include <utility>

namespace arenad {

class FactQueue {
 public:
  void post(std::function<void()> fact) { facts_.push_back(std::move(fact)); }
  [[nodiscard]] bool is_empty() const { return facts_.empty(); }
  // Also takes what is posted meanwhile.
  void take_all() {
    while (!facts_.empty()) {
      auto fact = std::move(facts_.front());
      facts_.pop_front();
      fact();
    }
  }

 private:
  std::deque<std::function<void()>> facts_;
};

}  // namespace arenad
