#include "chaos/faults/bad_program.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include "chaos/equipment.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/control_client.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAskedUpgrade = "upgrade that was asked for";
// As arenad says it (supervisor/upgrade.cc).
constexpr const char* kAnother = "another upgrade is going on";

Result<uint64_t> post_upgrade(ControlClient& control, const std::string& program, uint64_t timeout_ms) {
  return control.post(
      [&](wire::Request::Builder request) {
        auto upgrade = request.initUpgrade();
        upgrade.setProgram(program);
        upgrade.setTimeoutMs(static_cast<uint32_t>(timeout_ms));
      },
      {});
}

struct AskedUpgrade {
  std::optional<ControlClient> control;  // nothing when it is over: it would be one of arenad's descriptors
  uint64_t request;
  std::string program;
  uint64_t timeout_ms;
  pid_t arenad;
  Fd pidfd;  // of arenad
  bool is_over = false;
  std::optional<Error> refusal;  // nothing, and it is over: it was said that it is done

  void look() {
    if (is_over) return;
    const bool is_connected = control->poll();
    auto reply = control->take_reply(request);
    if (reply && !*reply && reply->error().text().find(kAnother) != std::string::npos) {
      // Of another fault.
      if (auto posted = post_upgrade(*control, program, timeout_ms)) request = *posted;
      return;
    }
    is_over = reply || !is_connected;
    if (reply && !*reply) refusal = reply->error();
    if (!reply && !is_connected) refusal = make_error(ErrorCode::unreachable, "arenad has hung up");
    if (is_over) control.reset();
  }
};

std::shared_ptr<AskedUpgrade> asked_upgrade(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<AskedUpgrade>(stage.prop(kAskedUpgrade, strike.arena));
}

bool runs(const fs::path& process, const std::string& program) {
  std::error_code error;
  const fs::path its = fs::read_symlink(process / "exe", error);
  return !error && (its == program || fs::equivalent(its, program, error));
}

}  // namespace

Result<std::string> bad_arenad(const char* mode) {
  auto equipment = find_equipment();
  if (!equipment) return equipment.error();
  return (equipment->games / ("bad_arenad_" + std::string(mode))).string();
}

std::function<Result<void>(Stage&, const Strike&)> asks_for_upgrade_to(ProgramChoice program, uint64_t timeout_ms) {
  return [program = std::move(program), timeout_ms](Stage& stage, const Strike& strike) -> Result<void> {
    auto path = program(stage, strike);
    if (!path) return path.error();
    const pid_t arenad = stage.rig().arenad();
    auto pidfd = open_pidfd(arenad);
    auto control = ControlClient::connect(stage.rig().socket());
    if (!pidfd || !control) return make_error(ErrorCode::unreachable, "there is no arenad at the moment");
    auto posted = post_upgrade(*control, *path, timeout_ms);
    if (!posted) return posted.error();
    stage.prop(kAskedUpgrade, strike.arena) = std::make_shared<AskedUpgrade>(AskedUpgrade{
        std::move(*control), *posted, std::move(*path), timeout_ms, arenad, std::move(*pidfd), false, std::nullopt});
    return {};
  };
}

bool upgrade_is_answered(const Stage& stage, const Strike& strike) {
  const auto asked = asked_upgrade(stage, strike);
  if (asked) asked->look();
  return asked && asked->is_over;
}

bool program_has_taken_over(const Stage& stage, const Strike& strike) {
  const auto asked = asked_upgrade(stage, strike);
  return asked && (has_ended(asked->pidfd) || runs("/proc/" + std::to_string(asked->arenad), asked->program));
}

Result<void> kill_who_was_asked(Stage& stage, const Strike& strike) {
  const auto asked = asked_upgrade(stage, strike);
  if (asked) send_signal(asked->pidfd, SIGKILL);
  return {};
}

bool nobody_runs_program(Stage& stage, const Strike& strike) {
  const auto asked = asked_upgrade(stage, strike);
  if (!asked) return true;
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    if (std::isdigit(process.path().filename().string().front()) != 0 && runs(process.path(), asked->program)) return false;
  }
  return true;
}

Fault upgrade_refused(const char* name, const char* does, ProgramChoice program, uint64_t timeout_ms, const char* told) {
  return {.name = name,
          .does = does,
          .holds = "the request is refused and says why, the old arenad goes on, and nobody notices",
          // There is one upgrade at a time, and others of them need it.
          .uses = "disk",
          .prepare = wait_for_arenad,
          .inject = asks_for_upgrade_to(std::move(program), timeout_ms),
          .fired = upgrade_is_answered,
          .settled = nobody_runs_program,
          .check = [told](Stage& stage, const Strike& strike) -> Result<void> {
            const auto asked = asked_upgrade(stage, strike);
            if (!asked->refusal) return make_error(ErrorCode::failed, "arenad says that it is upgraded");
            if (asked->refusal->text().find(told) != std::string::npos) return {};
            return make_error(ErrorCode::failed,
                              "arenad says \"" + asked->refusal->text() + "\", and nothing of \"" + told + "\"");
          }};
}

}  // namespace arenad::chaos
