// That arenad says what is true, at every moment: it names a state that there is, and what counts never goes back.
//
// The frame that it says is the last one that is done. A frame is done after its outputs were published (ipc/incarnation_layout.h), and its
// worker may be stopped, hang or die in between. So of the frames of which a player has heard all but the last are done, always; and the last
// one too when nothing is done to anybody any more.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "chaos/checkers/catalogue.h"
#include "chaos/status_client.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kLookEveryNs = 20 * kMillisecond;
constexpr uint64_t kPatienceNs = 5 * kSecond;

constexpr auto kStates = std::to_array<std::string_view>({"starting", "running", "recovering", "backoff", "restarting",
                                                          "stopping", "stopped", "ended", "failed", "lost", "draining"});

class HonestStatus : public Checker {
 public:
  void begins(Scene& scene) override {
    client_.emplace(scene.stage.rig().socket());
    (void)client_->ask(scene.stage.arenas()[0].id);  // its connection is not one that a fault has left
    last_.resize(scene.stage.arenas().size());
  }

  void looks(Scene& scene) override {
    if (monotonic_ns() - looked_ns_ < kLookEveryNs) return;
    looked_ns_ = monotonic_ns();
    next_ = (next_ + 1) % last_.size();
    look_at(scene, next_);
  }

  void at_rest(Scene& scene) override {
    for (size_t arena = 0; arena < last_.size(); ++arena) {
      look_at(scene, arena);
      comes_to_what_was_heard(scene, arena);
    }
  }

 private:
  void look_at(Scene& scene, size_t arena) {
    const Stage::Arena& played = scene.stage.arenas()[arena];
    // Before arenad is asked: the arena may have gone on when it answers.
    const uint64_t heard = played.player->frame();
    const auto told = client_->ask(played.id);
    if (!told) return;
    ToldStatus& last = last_[arena];
    scene.invariants.holds(Invariant::status);
    if (std::ranges::find(kStates, told->state) == kStates.end())
      scene.violated(Invariant::status, arena, "arenad says that it is \"" + told->state + "\"");
    no_less(scene, arena, "epoch", told->epoch, last.epoch);
    // Of an arena that is lost there is no frame; that it is, is a violation of its own.
    if (told->state == "lost") return;
    no_less(scene, arena, "frame", told->frame, last.frame);
    // What was durable is not, where the database is gone.
    if (scene.database_concerned) last.durable_frame = 0;
    no_less(scene, arena, "durable frame", told->durable_frame, last.durable_frame);
    no_less(scene, arena, "number of restarts", told->restarts_total, last.restarts_total);
    if (told->frame + 1 < heard) {
      scene.violated(Invariant::status, arena,
                     fmt::format("its player has heard of frame {}, and arenad says that it is at {}", heard, told->frame));
    }
    if (told->durable_frame > told->frame && told->state == "running") {
      scene.violated(
          Invariant::status, arena,
          fmt::format("arenad says that frame {} is durable, and that it is at {}", told->durable_frame, told->frame));
    }
    last = *told;
  }

  void comes_to_what_was_heard(Scene& scene, size_t arena) {
    const Stage::Arena& played = scene.stage.arenas()[arena];
    const uint64_t heard = played.player->frame();
    const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
    std::optional<ToldStatus> told;
    do {
      if (auto now = client_->ask(played.id)) told = now;
      if (told && (told->frame >= heard || told->state == "lost")) return;
      scene.stage.turn();
    } while (monotonic_ns() < deadline_ns && !scene.stage.is_called_off());
    if (!told || scene.stage.is_called_off()) return;
    scene.violated(Invariant::status, arena,
                   fmt::format("its player has heard of frame {}, and arenad says for {} s that it is at {}", heard,
                               kPatienceNs / kSecond, told->frame));
  }

  static void no_less(Scene& scene, size_t arena, const char* what, uint64_t now, uint64_t before) {
    if (now >= before) return;
    scene.violated(Invariant::status, arena, fmt::format("the {} that arenad says went back from {} to {}", what, before, now));
  }

  std::optional<StatusClient> client_;
  std::vector<ToldStatus> last_;
  size_t next_ = 0;
  uint64_t looked_ns_ = 0;
};

}  // namespace

std::unique_ptr<Checker> honest_status() {
  return std::make_unique<HonestStatus>();
}

}  // namespace arenad::chaos
