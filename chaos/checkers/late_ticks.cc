// Whether an arena that no fault concerns still ticks in time, as its player hears it. Figures and no invariant: who shares the machine can
// make any tick late.
#include <algorithm>

#include "chaos/checkers/catalogue.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// What this process has slept through it cannot tell from a late tick.
constexpr uint64_t kLongTurnNs = 5 * kMillisecond;

class LateTicks : public Checker {
 public:
  void begins(Scene& scene) override { heard_.resize(scene.stage.arenas().size()); }

  void looks(Scene& scene) override {
    const uint64_t now = monotonic_ns();
    const bool was_long = now - looked_ns_ > kLongTurnNs;
    looked_ns_ = now;
    for (size_t arena = 0; arena < heard_.size(); ++arena) {
      const uint32_t hz = scene.stage.arenas()[arena].hz;
      const uint64_t frames = scene.stage.arenas()[arena].player->compared();
      Heard& heard = heard_[arena];
      if (hz == 0 || was_long || scene.concerned[arena] || scene.arenad_concerned) {
        heard = {frames, 0};
        continue;
      }
      if (frames == heard.frames) continue;
      if (heard.at_ns != 0) note(now - heard.at_ns, kSecond / hz);
      heard = {frames, now};
    }
  }

  [[nodiscard]] std::map<std::string, double> figures() const override {
    return {{"quiet_ticks", static_cast<double>(ticks_)},
            {"quiet_ticks_late", static_cast<double>(late_)},
            {"quiet_tick_gap_ms_max", static_cast<double>(longest_ns_) / 1e6}};
  }

 private:
  struct Heard {
    uint64_t frames = 0;
    uint64_t at_ns = 0;  // 0: not known
  };

  void note(uint64_t gap_ns, uint64_t period_ns) {
    ++ticks_;
    longest_ns_ = std::max(longest_ns_, gap_ns);
    if (gap_ns > 2 * period_ns + kLongTurnNs) ++late_;
  }

  std::vector<Heard> heard_;  // by arena
  uint64_t looked_ns_ = 0;
  uint64_t ticks_ = 0;
  uint64_t late_ = 0;
  uint64_t longest_ns_ = 0;
};

}  // namespace

std::unique_ptr<Checker> late_ticks() {
  return std::make_unique<LateTicks>();
}

}  // namespace arenad::chaos
