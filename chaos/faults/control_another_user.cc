// Whoever is not in the sockets' group is not even heard (docs/who-may-do-what.md); where somebody has opened them to everyone, arenad
// itself refuses.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <poll.h>
#include <set>

#include "chaos/faults/another_user.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/channel.h"
#include "ipc/control_client.h"
#include "ipc/socket.h"

namespace arenad::chaos {
namespace {

constexpr const char* kAnotherUser = "control.another_user";
constexpr uint64_t kRefusalMs = 10'000;
// arenad hangs up on whoever says nothing after ten seconds.
constexpr int kHungUpMs = 8'000;
constexpr uint32_t kHistory = 1000;

struct ForbiddenRequest {
  const char* verb;  // in the history
  std::function<void(wire::Request::Builder)> fill;
  bool has_file = false;
};

void select_all(wire::Selection::Builder selection) {
  selection.setAll(true);
}

// Each kind of request; had arenad carried one of them out that changes something, the run would show it.
std::vector<ForbiddenRequest> all_requests(const std::string& arena) {
  using Request = wire::Request::Builder;
  return {
      {"version", [](Request r) { r.setVersion(); }},
      {"status", [](Request r) { select_all(r.initStatus()); }},
      {"export", [arena](Request r) { r.setExport(arena); }},
      {"results", [arena](Request r) { r.setResults(arena); }},
      {"results", [](Request r) { r.initResultPage(); }},
      {"results", [](Request r) { r.setResultTypes(1); }},
      {"crashes", [](Request r) { select_all(r.initCrashes().initSelection()); }},
      {"quarantine", [](Request r) { select_all(r.initQuarantine()); }},
      {"rollout status", [](Request r) { r.setRollouts(""); }},
      {"versions", [](Request r) { r.setVersions(""); }},
      {"history", [](Request r) { r.initHistory(); }},
      {"logs", [](Request r) { r.initLogs(); }},
      {"events", [](Request r) { r.initEvents(); }},
      {"attach",
       [arena](Request r) {
         auto attach = r.initAttach();
         attach.setArena(arena);
         attach.setPlayer("mallory");
       },
       true},
      {"start",
       [](Request r) {
         r.initStart().setGame("ledger");
         r.getStart().setName("of-another-user");
       }},
      {"restart", [](Request r) { select_all(r.initRestart()); }},
      {"stop", [](Request r) { select_all(r.initStop()); }},
      {"drain", [](Request r) { select_all(r.initDrain().initSelection()); }},
      {"undrain", [](Request r) { select_all(r.initUndrain()); }},
      {"reset-failed", [](Request r) { select_all(r.initResetFailed()); }},
      {"snapshot", [](Request r) { select_all(r.initSnapshot()); }},
      {"kill",
       [](Request r) {
         select_all(r.initSignal().initSelection());
         r.getSignal().setNumber(SIGKILL);
       }},
      {"quarantine retry", [](Request r) { r.initQuarantineRetry(1).set(0, 1); }},
      {"quarantine drop", [](Request r) { r.initQuarantineDrop(1).set(0, 1); }},
      {"rollback",
       [](Request r) {
         r.initRollback().setGame("ledger");
         r.getRollback().setBatch(1);
       }},
      {"rollout abort",
       [](Request r) {
         r.initRolloutOrder().setGame("ledger");
         r.getRolloutOrder().setOrder(wire::RolloutOrder::Order::ABORT);
       }},
      {"pin",
       [](Request r) {
         select_all(r.initPin().initSelection());
         r.getPin().setVersion("1.0");
       }},
      {"reload",
       [](Request r) {
         r.initReload().setGame("ledger");
         r.getReload().setFile("ledger.so");
         r.getReload().setBatch(1);
       },
       true},
      {"reload-config", [](Request r) { r.initReloadConfig(); }},
      {"upgrade", [](Request r) { r.initUpgrade(); }},
      {"shutdown", [](Request r) { r.setShutdown(); }},
  };
}

std::string is_kept_out(const std::string& path, SocketKind kind) {
  auto socket = connect_unix(path, kind);
  if (socket) return "it may connect";
  return socket.error().errno_value == EACCES ? "" : "it cannot connect for another reason: " + socket.error().text();
}

std::string is_refused_everything(const std::string& path, const std::vector<ForbiddenRequest>& requests) {
  auto file = ChannelWriter::create(limits::kMinChannelBytes);
  if (!file) return file.error().text();
  for (const ForbiddenRequest& request : requests) {
    auto control = ControlClient::connect(path);
    if (!control) return control.error().text();
    const int fd = file->fd().get();
    const auto answer = control->call(request.fill, {&fd, request.has_file ? size_t{1} : 0}, kRefusalMs);
    if (answer) return std::string("its request is answered: ") + request.verb;
    const Error& error = answer.error();
    if (error.code != ErrorCode::refused || error.message.find("needs the right to") == std::string::npos)
      return std::string(request.verb) + ": " + error.text();
  }
  return "";
}

// Where workers offer themselves.
std::string is_hung_up_on(const std::string& path) {
  auto socket = connect_unix(path, SocketKind::packets);
  if (!socket) return "it cannot connect to the workers' socket: " + socket.error().text();
  pollfd end{socket->get(), POLLIN, 0};
  if (::poll(&end, 1, kHungUpMs) == 0) return "it is listened to at the workers' socket";
  char byte = 0;
  const ssize_t got = ::recv(socket->get(), &byte, 1, MSG_DONTWAIT);
  return got <= 0 ? "" : "it gets an answer at the workers' socket";
}

// Of a socket, while this lives.
class OpenToEveryone {
 public:
  explicit OpenToEveryone(std::string file) : file_(std::move(file)), before_(std::filesystem::status(file_).permissions()) {
    std::error_code error;
    std::filesystem::permissions(file_, std::filesystem::perms(0666), error);
  }
  OpenToEveryone(const OpenToEveryone&) = delete;
  OpenToEveryone& operator=(const OpenToEveryone&) = delete;
  ~OpenToEveryone() {
    std::error_code error;
    std::filesystem::permissions(file_, before_, error);
  }

 private:
  std::string file_;
  std::filesystem::perms before_;
};

}  // namespace

Fault control_another_user() {
  return {.name = kAnotherUser,
          .does =
              "A process of another user connects to arenad's sockets; then they are opened to everyone for a while, and it "
              "asks for "
              "everything that there is to ask for",
          .holds = "it cannot connect; then each request is refused and is in the history, and nothing changes",
          .alone = true,
          .missing = without_another_user,
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            const std::string control = stage.rig().socket();
            const std::string workers = (stage.rig().folder() / "run/workers.sock").string();
            const WayTo to_control(control);
            const WayTo to_workers(workers);
            const uid_t user = another_user(strike);
            auto complaint = as_another_user(stage, user, [&] {
              std::string why = is_kept_out(to_control.path(), SocketKind::stream);
              return why.empty() ? is_kept_out(to_workers.path(), SocketKind::packets) : why;
            });
            if (!complaint) return complaint.error();
            if (complaint->empty()) {
              const OpenToEveryone control_is_open(control);
              const OpenToEveryone workers_is_open(workers);
              complaint = as_another_user(stage, user, [&] {
                std::string why = is_refused_everything(to_control.path(), all_requests(stage.arenas()[strike.arena].name));
                return why.empty() ? is_hung_up_on(to_workers.path()) : why;
              });
            }
            if (!complaint) return complaint.error();
            stage.prop(kAnotherUser, strike.arena) = std::make_shared<std::string>(std::move(*complaint));
            return {};
          },
          // What was refused is written down a moment later.
          .settled =
              [](Stage& stage, const Strike& strike) {
                const auto complaint = std::static_pointer_cast<std::string>(stage.prop(kAnotherUser, strike.arena));
                if (!complaint->empty()) return true;
                const auto history = stage.rig().history(kHistory);
                if (!history) return false;
                std::set<std::string> refused;
                for (const sweep::PastCommand& one : *history) {
                  if (one.uid != another_user(strike)) continue;
                  if (one.outcome != "denied") *complaint = "in the history its request is " + one.outcome + ": " + one.verb;
                  refused.insert(one.verb);
                }
                const auto requests = all_requests(stage.arenas()[strike.arena].name);
                return std::ranges::all_of(requests, [&](const auto& request) { return refused.contains(request.verb); });
              },
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            const auto complaint = std::static_pointer_cast<std::string>(stage.prop(kAnotherUser, strike.arena));
            if (complaint->empty()) return {};
            return make_error(ErrorCode::failed, "another user: " + *complaint);
          }};
}

}  // namespace arenad::chaos
