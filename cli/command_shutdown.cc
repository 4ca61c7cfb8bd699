#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/json_object.h"
#include "cli/selection.h"

namespace arenad::cli {
namespace {

class ShutdownCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "shutdown",
            .summary = "Ends arenad in order: every arena is saved, and goes on when arenad runs again",
            .example = "arenactl shutdown --yes",
            .details =
                "As SIGTERM does. Answered when it begins; arenactl stop or drain puts arenas down for good, systemctl stop\n"
                "also keeps arenad from being started again by systemd.\n\n"
                "Examples:\n"
                "  arenactl shutdown\n"
                "  arenactl shutdown --yes\n"};
  }

  void add_options(CLI::App& app) override { app.add_flag("-y,--yes", yes_, "Do not ask whether it is really meant"); }

  ExitCode run(const Session& session) override {
    const auto allowed = confirm_all(session.console, yes_ ? Consent::given : Consent::to_be_asked,
                                     "shut down arenad at " + session.socket_path);
    if (!allowed) return session.fail(allowed.error());
    return ask(session, {.fill = [](wire::Request::Builder request) { request.setShutdown(); },
                         .expected = wire::Reply::SHUTTING_DOWN,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getShuttingDown());
                         },
                         .effect = Effect::changes_arenas});
  }

 private:
  static ExitCode report(const Session& session, uint32_t arenas) {
    if (session.format == Format::json) {
      Json json = object_with_schema();
      json["arenas"] = arenas;
      session.console.data(line(json));
    } else {
      session.console.data(fmt::format("arenad is shutting down; arenas that are saved: {}\n", arenas));
    }
    return ExitCode::ok;
  }

  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> shutdown_command() {
  return std::make_unique<ShutdownCommand>();
}

}  // namespace arenad::cli
