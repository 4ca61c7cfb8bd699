// As worker.does_not_repeat_itself, where the configuration says that such an arena must not go on.
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/guest_arena.h"
#include "chaos/files.h"

namespace arenad::chaos {
namespace {

constexpr const char* kMustStop = "worker.does_not_repeat_itself_and_must_stop";
// As a worker says it (worker/recovery.cc).
constexpr std::string_view kSaysWhichFrame = "the game is not deterministic: frame ";
// Until frames are to be run again: a worker may die right after a snapshot.
constexpr int kMostDeathsUntilItFails = 40;

// While it lives, arenad goes by a configuration in which arenas stop where frames are others when they are run again.
class Strictly {
 public:
  static Result<std::unique_ptr<Strictly>> configure(Stage& stage) {
    const std::filesystem::path file = stage.rig().folder() / "arenad.toml";
    auto lenient = read_file(file);
    if (!lenient) return lenient.error();
    std::unique_ptr<Strictly> strictly(new Strictly(stage, file, *lenient));
    // The game's section is the last one.
    if (auto written = write_file(file, *lenient + "on_divergence = \"stop\"\n"); !written) return written.error();
    if (auto taken = stage.rig().reload_config(); !taken) return taken.error();
    return strictly;
  }
  Strictly(const Strictly&) = delete;
  Strictly& operator=(const Strictly&) = delete;
  ~Strictly() { (void)end(); }

  Result<void> end() {
    if (std::exchange(is_over_, true)) return {};
    if (auto written = write_file(file_, lenient_); !written) return written;
    return stage_.rig().reload_config();
  }

 private:
  Strictly(Stage& stage, std::filesystem::path file, std::string lenient)
      : stage_(stage), file_(std::move(file)), lenient_(std::move(lenient)) {}
  Stage& stage_;
  std::filesystem::path file_;
  std::string lenient_;
  bool is_over_ = false;
};

// Empty: it is one that the arena has decided.
std::string wrong_with_frame_in(const sweep::ArenaStatus& status) {
  const size_t at = status.reason.find(kSaysWhichFrame);
  if (at == std::string::npos) return "the arena has failed, and the reason is \"" + status.reason + "\"";
  const uint64_t frame = std::strtoull(status.reason.c_str() + at + kSaysWhichFrame.size(), nullptr, 10);
  if (frame != 0 && frame <= status.frame) return "";
  return fmt::format("the arena has failed at frame {}, and the reason is \"{}\"", status.frame, status.reason);
}

// Gives what is wrong with how it does.
Result<std::string> kill_until_it_fails(GuestArena& guest) {
  for (int death = 0; death < kMostDeathsUntilItFails; ++death) {
    auto before = guest.wait_for("a worker of the fault's own arena",
                                 [](const sweep::ArenaStatus& status) { return status.state == "running" && status.pid > 0; });
    if (!before) return before.error();
    ::kill(before->pid, SIGKILL);
    auto after = guest.wait_for("its next worker, or that there is none", [&](const sweep::ArenaStatus& status) {
      return status.state == "failed" || (status.state == "running" && status.epoch > before->epoch);
    });
    if (!after) return after.error();
    if (after->state == "failed") return wrong_with_frame_in(*after);
    if (after->divergences != 0) return fmt::format("it goes on after {} frames that were others", after->divergences);
  }
  return fmt::format("after {} deaths the arena has not failed", kMostDeathsUntilItFails);
}

}  // namespace

Fault worker_does_not_repeat_itself_and_must_stop() {
  return {.name = kMustStop,
          .does = "The game of another arena uses the clock, or chance, its worker is killed, and on_divergence is \"stop\"",
          .holds =
              "that arena fails, for a reason that names the frame, and can be restarted as soon as the configuration allows "
              "it, and not "
              "before; no match notices",
          .alone = true,
          .missing = without_ledger,
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto guest = GuestArena::start(stage, {{"hz", "100"}, {"whims", strike.draw % 2 == 0 ? "1" : "2"}});
            if (!guest) return guest.error();
            auto strictly = Strictly::configure(stage);
            if (!strictly) return strictly.error();
            auto wrong = kill_until_it_fails(**guest);
            if (!wrong) return wrong.error();
            if (wrong->empty() && stage.rig().restart_arena((*guest)->id())) *wrong = "it was restarted, though it must stop";
            keep_finding(stage, kMustStop, strike, *wrong);
            // It is kept until it runs again.
            if (auto ended = (*strictly)->end(); !ended) return ended;
            if (auto restarted = stage.rig().restart_arena((*guest)->id()); !restarted) return restarted.error();
            return (*guest)->stop();
          },
          .check = kept_finding(kMustStop)};
}

}  // namespace arenad::chaos
