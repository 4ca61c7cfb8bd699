#include "chaos/faults/signals.h"

#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include "chaos/faults/control_socket.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

Result<void> send(pid_t pid, int number, const char* whom) {
  if (pid <= 0) return make_error(ErrorCode::refused, std::string("there is no ") + whom + " at the moment");
  if (::kill(pid, number) != 0) return errno_error(std::string("cannot send a signal to ") + whom);
  return {};
}

}  // namespace

Result<void> signal_worker(Stage& stage, size_t arena, int number) {
  const pid_t worker = stage.arenas()[arena].worker;
  auto sent = send(worker, number, "worker");
  if (sent && number == SIGKILL) stage.note_kill(worker);
  return sent;
}

Result<void> wait_for_worker(Stage& stage, const Strike& strike) {
  const Stage::Arena& arena = stage.arenas()[strike.arena];
  return wait_until(stage, "a worker of the arena", [&] { return lives(arena.worker); });
}

Result<void> signal_arenad(const Stage& stage, int number) {
  return send(stage.rig().arenad(), number, "arenad");
}

Result<void> stop_for(Stage& stage, const std::string& fault, const Strike& strike, uint64_t ms, std::vector<pid_t> processes) {
  if (auto stopped = send(processes.front(), SIGSTOP, "process to be stopped"); !stopped) return stopped;
  std::erase_if(processes, [](pid_t pid) { return pid <= 0; });
  for (const pid_t pid : processes) ::kill(pid, SIGSTOP);
  stage.prop(fault, strike.arena) = std::make_shared<std::jthread>([processes = std::move(processes), ms] {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    for (const pid_t pid : processes) ::kill(pid, SIGCONT);
  });
  return {};
}

std::function<Result<void>(Stage&, const Strike&)> gone_on(const std::string& fault) {
  return [fault](Stage& stage, const Strike& strike) -> Result<void> {
    stage.prop(fault, strike.arena).reset();
    return {};
  };
}

Result<void> tell_arenad_to_upgrade(Stage& stage, const Strike& strike) {
  if (!stage.rig().status(stage.arenas()[strike.arena].id)) return make_error(ErrorCode::unreachable, "arenad does not answer");
  return signal_arenad(stage, SIGUSR2);
}

Result<void> signal_keeper(const Stage& stage, int number) {
  return send(stage.rig().keeper(), number, "keeper");
}

Fault worker_ended_by(const char* name, int number, const char* told) {
  return {.name = name,
          .does = std::string("SIG") + told + " to the arena's worker",
          .holds = "as if it had been killed, and arenad names the signal",
          .worker = Ends::must,
          .told = told,
          // The black box does not know them (worker/black_box.cc).
          .leaves_no_note = number == SIGHUP || number == SIGINT || number == SIGUSR1 || number == SIGUSR2 ||
                            number == SIGPIPE || number == SIGALRM,
          .prepare = wait_for_worker,
          .inject = [number](Stage& stage, const Strike& strike) { return signal_worker(stage, strike.arena, number); }};
}

Fault arenad_ended_by(const char* name, const char* does, int number) {
  return {.name = name,
          .does = does,
          .holds = "no worker ends; the keeper starts the next arenad, which adopts them all",
          .arenad = Ends::must,
          .inject = [number](Stage& stage, const Strike&) { return signal_arenad(stage, number); }};
}

Fault arenad_takes(const char* name, const char* does, int number, int times) {
  return {.name = name,
          .does = does,
          .holds = "nothing ends, and arenad answers",
          // One that was started a moment ago does not listen yet, and would end.
          .prepare = wait_for_arenad,
          .inject = [number, times](Stage& stage, const Strike&) -> Result<void> {
            const pid_t arenad = stage.rig().arenad();
            for (int i = 0; i < times; ++i) {
              if (auto sent = send(arenad, number, "arenad"); !sent) return sent;
            }
            return {};
          }};
}

}  // namespace arenad::chaos
