#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <poll.h>
#include <sys/socket.h>

#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/arena_progress.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_object.h"
#include "cli/quantity.h"
#include "cli/selection.h"
#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "ipc/process.h"

namespace arenad::cli {
namespace {

// As long as systemd waits, unless a unit says otherwise.
constexpr uint64_t kDefaultShutdownTimeoutMs = 90'000;
constexpr uint64_t kLookMs = 250;

// With an arena that was saved its process has gone.
bool is_saved(const ArenaBefore& /*before*/, wire::ArenaStatus::Reader now) {
  return now.getPid() == 0;
}

// The process of arenad, or where that cannot be seen, as from another pid namespace, a connection to it: both can be waited for.
class Presence {
 public:
  static Result<Presence> of(const std::string& socket_path) {
    auto client = ControlClient::connect(socket_path);
    if (!client) return client.error();
    Presence presence(std::make_unique<ControlClient>(std::move(*client)));
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(presence.client_->fd().get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0) {
      if (auto pidfd = open_pidfd(peer.pid)) presence.pidfd_ = std::move(*pidfd);
    }
    if (presence.pidfd_) presence.client_.reset();
    return presence;
  }

  enum class Wait { ended, is_there_yet, interrupted };
  // Until it is gone, for no longer than this time. meanwhile is called now and then.
  [[nodiscard]] Wait wait(uint64_t timeout_ms, const Interrupt& interrupt, const std::function<void()>& meanwhile) {
    const uint64_t deadline_ns = monotonic_ns() + timeout_ms * kMillisecond;
    for (;;) {
      const uint64_t now = monotonic_ns();
      const uint64_t left_ms = now >= deadline_ns ? 0 : (deadline_ns - now) / kMillisecond + 1;
      std::array<pollfd, 2> waiting{pollfd{pidfd_ ? pidfd_.get() : client_->fd().get(), POLLIN, 0},
                                    pollfd{interrupt.fd(), POLLIN, 0}};
      const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(std::min(left_ms, kLookMs)));
      if (ready > 0 && waiting[0].revents != 0 && (pidfd_ || !client_->poll())) return Wait::ended;
      if (ready > 0 && waiting[1].revents != 0 && interrupt.wait(0)) return Wait::interrupted;
      if (left_ms == 0) return Wait::is_there_yet;
      meanwhile();
    }
  }

 private:
  explicit Presence(std::unique_ptr<ControlClient> client) : client_(std::move(client)) {}

  std::unique_ptr<ControlClient> client_;
  Fd pidfd_;
};

class ShutdownCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "shutdown",
        .summary = "Ends arenad in order: every arena is saved, and goes on when arenad runs again",
        .example = "arenactl shutdown --yes",
        .details =
            "As SIGTERM does. Waits until arenad has ended, 90s unless --timeout says otherwise; with --no-wait until it\n"
            "has begun. arenactl stop or drain puts arenas down for good, systemctl stop also keeps arenad from being started\n"
            "again by systemd.\n\n"
            "Examples:\n"
            "  arenactl shutdown\n"
            "  arenactl shutdown --dry-run\n"
            "  arenactl shutdown --yes --timeout 5m\n"};
  }

  void add_options(CLI::App& app) override {
    add_yes(app, options_, "it is really meant");
    add_no_wait(app, options_);
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    if (options_.dry_run) return preview(session);
    const auto allowed = confirm_all(session.console, options_.yes ? Consent::given : Consent::to_be_asked,
                                     "shut down arenad at " + session.socket_path);
    if (!allowed) return session.fail(allowed.error());
    const uint64_t timeout_ms = session.timeout_ms.value_or(kDefaultShutdownTimeoutMs);
    // From here on, without a gap: when arenad has begun with its end, Ctrl-C does not leave that unsaid.
    const Interrupt interrupt;
    ArenaProgress progress(session, "saving arenas", {{}, true}, is_saved);
    // If it is not there, asking it says so.
    auto presence = Presence::of(session.socket_path);
    const ExitCode code = ask(session, {.fill = [](wire::Request::Builder request) { request.setShutdown(); },
                                        .expected = wire::Reply::SHUTTING_DOWN,
                                        .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                          report(session, reply.getShuttingDown());
                                          return ExitCode::ok;
                                        },
                                        .effect = Effect::changes_arenas});
    if (code != ExitCode::ok || options_.no_wait || !presence) return code;
    switch (presence->wait(timeout_ms, interrupt, [&progress] { progress.look(); })) {
      case Presence::Wait::ended:
        return code;
      case Presence::Wait::is_there_yet:
        session.console.error(
            fmt::format("arenad is still saving arenas after {}, and goes on with it (--timeout waits longer)",
                        duration_text(static_cast<double>(timeout_ms) * 1000)));
        return ExitCode::timeout;
      case Presence::Wait::interrupted:
        session.console.error("interrupted; arenad goes on with its end");
        return ExitCode::timeout;
    }
    return code;
  }

 private:
  [[nodiscard]] ExitCode preview(const Session& session) const {
    const ExitCode code = ask(session, {.fill = [](wire::Request::Builder request) { request.initStatus().setAll(true); },
                                        .expected = wire::Reply::STATUS,
                                        .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                          report(session, reply.getStatus().getArenas().size());
                                          return ExitCode::ok;
                                        }});
    if (code == ExitCode::ok) note_dry_run(session);
    return code;
  }

  void report(const Session& session, uint32_t arenas) const {
    if (session.format == Format::json) {
      Json json = object_with_schema();
      json["arenas"] = arenas;
      session.console.data(line(json));
    } else {
      session.console.data(fmt::format("{}; arenas that are saved: {}\n",
                                       options_.dry_run ? "arenad would be shut down" : "arenad is shutting down", arenas));
    }
    session.console.flush();
  }

  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> shutdown_command() {
  return std::make_unique<ShutdownCommand>();
}

}  // namespace arenad::cli
