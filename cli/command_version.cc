#include <fmt/format.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/render.h"

namespace arenad::cli {
namespace {

void warn_of_other_protocol(const Console& console, uint32_t daemons) {
  if (daemons == wire::PROTOCOL_VERSION) return;
  console.note(
      fmt::format("arenad speaks protocol {}, this arenactl {}: not everything may work; use the arenactl of arenad's version",
                  daemons, wire::PROTOCOL_VERSION));
}

ExitCode report(const Session& session, wire::Version::Reader version) {
  session.console.data(session.format == Format::json ? version_json(version) : render_versions(version));
  warn_of_other_protocol(session.console, version.getProtocol());
  return ExitCode::ok;
}

class VersionCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "version",
            .summary = "Shows the versions of this command and of arenad",
            .example = "arenactl version",
            .details =
                "arenactl --version tells this command's version without asking arenad.\n\n"
                "Examples:\n"
                "  arenactl version\n"
                "  arenactl version --json\n"};
  }

  void add_options(CLI::App& /*app*/) override {}

  ExitCode run(const Session& session) override {
    return ask(session, {.fill = [](wire::Request::Builder request) { request.setVersion(); },
                         .expected = wire::Reply::VERSION,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getVersion());
                         }});
  }
};

}  // namespace

std::unique_ptr<Command> version_command() {
  return std::make_unique<VersionCommand>();
}

}  // namespace arenad::cli
