// Whether an arena that died is started again, and after which delay. One budget for each arena.
//
// Pure: no clock and no randomness inside. Times are monotonic nanoseconds; the random number is
// any 64 bits.
//
//   state    | running(now)  | crashed(now, random)                 | excused(now)          | replaced(now) | reset()
//   ---------+---------------+--------------------------------------+-----------------------+---------------+-----------
//   starting | running since | starting: RestartAfter, one charged; | starting, the newest  | starting      | starting,
//   running  | unchanged     | or given_up: GiveUp                  | charge is taken back  | starting      | all
//   given_up | unchanged     | given_up: GiveUp                     | unchanged             | as reset()    | forgotten
//
// Two measures, which do not depend on each other:
//   the window  at most `intensity` restarts are charged in any window_ns; the crash that would
//               need one more gives up.
//   the delay   0 after the first crash in a row, then first_delay_ns, doubled by each further
//               crash up to max_delay_ns, and spread by 20 % so that arenas that died together do
//               not come back together. An incarnation that ran for healthy_ns ends the row.
#pragma once

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace arenad {

struct RestartPolicy {
  uint32_t intensity = 5;  // restarts in a window; 0: never restart
  uint64_t window_ns = 60'000'000'000;
  uint64_t first_delay_ns = 50'000'000;  // of the second crash in a row; 0: never wait
  uint64_t max_delay_ns = 5'000'000'000;
  uint64_t healthy_ns = 30'000'000'000;

  bool operator==(const RestartPolicy&) const = default;
};

struct RestartAfter {
  uint64_t delay_ns = 0;
  bool operator==(const RestartAfter&) const = default;
};
struct GiveUp {
  bool operator==(const GiveUp&) const = default;
};
using RestartDecision = std::variant<RestartAfter, GiveUp>;

class RestartBudget {
 public:
  enum class State { starting, running, given_up };

  // All that it knows beside the policy. The numbers of State go over upgrades of arenad: new ones come last.
  struct Memory {
    State state = State::starting;
    uint64_t running_since_ns = 0;     // valid in State::running
    uint32_t crashes_in_row = 0;       // without a healthy time between them
    std::vector<uint64_t> charged_ns;  // times of the restarts in the window, oldest first
  };

  explicit RestartBudget(const RestartPolicy& policy) : policy_(policy) {}
  RestartBudget(const RestartPolicy& policy, Memory memory)
      : policy_(policy),
        state_(memory.state),
        running_since_ns_(memory.running_since_ns),
        crashes_in_row_(memory.crashes_in_row),
        charged_ns_(std::move(memory.charged_ns)) {}

  // The new incarnation has run its first frame: its healthy time begins.
  void running(uint64_t now_ns);
  // The incarnation ended without having been asked to.
  [[nodiscard]] RestartDecision crashed(uint64_t now_ns, uint64_t random);
  // It ended for the same reason as the one before, which is out of the way now: neither is charged.
  void excused(uint64_t now_ns);
  // An operator's restart, a reload or an upgrade begins the next incarnation. It is not charged,
  // and it revives an arena that was given up.
  void replaced(uint64_t now_ns);
  // Forgets every crash (arenactl reset-failed).
  void reset();
  // A reloaded configuration: counts from the next crash on. An arena that was given up stays so.
  void set_policy(const RestartPolicy& policy) { policy_ = policy; }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const RestartPolicy& policy() const { return policy_; }
  [[nodiscard]] Memory memory() const { return {state_, running_since_ns_, crashes_in_row_, charged_ns_}; }
  // Restarts charged in the window that ends now: "3 of 5 in 60 s".
  [[nodiscard]] uint32_t charged(uint64_t now_ns) const;

 private:
  void end_row_if_healthy(uint64_t now_ns);
  [[nodiscard]] bool in_window(uint64_t charged_ns, uint64_t now_ns) const;
  [[nodiscard]] uint64_t delay_ns(uint64_t random) const;

  RestartPolicy policy_;
  State state_ = State::starting;
  uint64_t running_since_ns_ = 0;
  uint32_t crashes_in_row_ = 0;
  std::vector<uint64_t> charged_ns_;
};

}  // namespace arenad
