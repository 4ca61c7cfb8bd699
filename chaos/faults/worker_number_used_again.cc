// The number of a worker that has died becomes a stranger's before arenad has heard of the death. Whoever goes by the number ends
// the stranger.
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unistd.h>
#include <utility>

#include "chaos/child_process.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kUsedAgain = "worker.number_used_again";
// The number that the next process is to come after. Source: proc_sys_kernel(5).
constexpr const char* kLastPid = "/proc/sys/kernel/ns_last_pid";
// Others fork too.
constexpr int kMostForks = 500;

pid_t last_pid() {
  std::ifstream file(kLastPid);
  pid_t last = 0;
  return file >> last ? last : 0;
}

bool set_last_pid(pid_t pid) {
  const Fd file(::open(kLastPid, O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(pid);
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string cannot_choose_numbers(const Stage&) {
  std::error_code error;
  const auto first = std::filesystem::read_symlink("/proc/1/exe", error);
  // On the machine's own it would be a number of anybody's.
  if (error || first != std::filesystem::read_symlink("/proc/self/exe", error))
    return "a namespace of processes of the run's own";
  const pid_t last = last_pid();
  if (last == 0 || !set_last_pid(last)) return "the right to write /proc/sys/kernel/ns_last_pid";
  return "";
}

// Ends by any signal, and takes none.
void be_stranger() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  siginfo_t signal{};
  while (::sigwaitinfo(&all, &signal) < 0) continue;
  ::_exit(signal.si_signo);
}

Result<ChildProcess> stranger_with(pid_t number) {
  const pid_t before = last_pid();
  for (int i = 0; i < kMostForks; ++i) {
    if (!set_last_pid(number - 1)) return errno_error("cannot choose the number of the next process");
    auto stranger = ChildProcess::fork_for(be_stranger);
    // No other number is to be used again: an arenad would be taken for the one before.
    (void)set_last_pid(std::max(before, last_pid()));
    if (!stranger || stranger->pid() == number) return stranger;
  }
  return make_error(ErrorCode::failed, "no process has got the number of the worker");
}

// A worker that was adopted is no child of arenad: whoever is takes its end at once, and its number is free.
Result<void> have_it_adopted(Stage& stage, const Strike& strike) {
  const pid_t first = stage.rig().arenad();
  if (auto killed = signal_arenad(stage, SIGKILL); !killed) return killed;
  return wait_until(stage, "the next arenad, with the worker", [&] {
    if (stage.rig().arenad() == 0 || stage.rig().arenad() == first) return false;
    const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
    return status && status->state == "running" && status->pid == strike.worker;
  });
}

Result<void> replace_unheard(Stage& stage, const Strike& strike) {
  if (auto killed = signal_worker(stage, strike.arena, SIGKILL); !killed) return killed;
  if (auto gone = wait_until(stage, "the end of the worker", [&] { return state_of(strike.worker) == '\0'; }); !gone)
    return gone;
  auto stranger = stranger_with(strike.worker);
  if (!stranger) return stranger.error();
  stage.prop(kUsedAgain, strike.arena) = std::make_shared<ChildProcess>(std::move(*stranger));
  return {};
}

}  // namespace

Fault worker_number_used_again() {
  return {
      .name = kUsedAgain,
      .does =
          "The arena's worker is adopted, and killed while arenad is stopped; another process gets its number before arenad "
          "goes on, "
          "or the next one comes",
      .holds = "the arena gets its next worker, and nobody touches the stranger",
      .worker = Ends::must,
      .arenad = Ends::must,
      .told = "it left no trace",
      .rungs = {"newest slot"},
      .alone = true,
      .missing = cannot_choose_numbers,
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto adopted = have_it_adopted(stage, strike); !adopted) return adopted;
        if (auto stopped = signal_arenad(stage, SIGSTOP); !stopped) return stopped;
        auto replaced = replace_unheard(stage, strike);
        const auto goes_on = signal_arenad(stage, strike.draw % 2 == 0 ? SIGCONT : SIGKILL);
        return replaced ? goes_on : replaced;
      },
      .fired = [](const Stage& stage, const Strike& strike) { return stage.arenas()[strike.arena].worker != strike.worker; },
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto stranger = std::static_pointer_cast<ChildProcess>(std::exchange(stage.prop(kUsedAgain, strike.arena), {}));
        if (stranger == nullptr) return {};
        const auto exit = stranger->wait(0);
        keep_finding(stage, kUsedAgain, strike, exit ? "the stranger was ended: " + exit->text() : "");
        return {};
      },
      // Longer than a worker may stand still, and than one that has lost its link may live.
      .heal_after_ms = 1500,
      .check = kept_finding(kUsedAgain)};
}

}  // namespace arenad::chaos
