// upgrade: another program of arenad itself, under running arenas.
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/arena_fields.h"
#include "cli/arena_progress.h"
#include "cli/command.h"
#include "cli/json_object.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kDefaultUpgradeTimeoutMs = 10'000;

std::string upgraded_json(wire::Upgraded::Reader upgraded, bool only_asked) {
  Json json = object_with_schema();
  json["upgraded"] = {{"from_version", text_of(upgraded.getFromVersion())},
                      {"to_version", text_of(upgraded.getToVersion())},
                      {"program", text_of(upgraded.getProgram())},
                      {"dry_run", only_asked},
                      {"arenas", upgraded.getArenas()},
                      {"held_ms", upgraded.getHeldMs()}};
  return line(json);
}

std::string upgraded_text(wire::Upgraded::Reader upgraded, bool only_asked) {
  const std::string program = printable(text_of(upgraded.getProgram()));
  const std::string from = printable(text_of(upgraded.getFromVersion()));
  const std::string to = printable(text_of(upgraded.getToVersion()));
  if (only_asked) return fmt::format("{} (version {}) could take over from version {}\n", program, to, from);
  return fmt::format("{} has taken over: version {} -> {}, {} arenas, nobody was answered for {:.0f} ms\n", program, from, to,
                     upgraded.getArenas(), upgraded.getHeldMs());
}

class UpgradeCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "upgrade",
        .summary = "Replaces arenad's own program while arenas run",
        .example = "arenactl upgrade",
        .details =
            "BINARY is the new arenad; without it, the file that now lies where the running one was executed from, as after a\n"
            "package was installed. It takes over in the same process: arenas, clients and whoever waits for an answer go on,\n"
            "no worker is started again. First it is asked whether it can: if it cannot read the state or the configuration,\n"
            "crashes, or does not answer in time, nothing happens and arenad goes on as it was.\n"
            "\n"
            "What a service manager starts after a crash is what its unit names. If BINARY is elsewhere, change that too.\n"
            "\n"
            "Examples:\n"
            "  arenactl upgrade --dry-run\n"
            "  arenactl upgrade\n"
            "  arenactl upgrade /opt/arenad-2/bin/arenad\n",
        .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("BINARY", program_, "The new program of arenad")->option_text(" ");
    app.add_flag("--dry-run", only_ask_, "Only ask the new program whether it could take over");
  }

  ExitCode run(const Session& session) override {
    std::error_code error;
    const std::string program = program_.empty() ? "" : std::filesystem::absolute(program_, error).string();
    const uint64_t timeout_ms = session.timeout_ms.value_or(kDefaultUpgradeTimeoutMs);
    // It counts for each of the two things that arenad waits for.
    Session patient = session;
    patient.timeout_ms = 2 * timeout_ms + kDefaultTimeoutMs;
    ArenaProgress progress(session, only_ask_ ? "asking the new program" : "upgrading");
    return ask(patient, {.fill =
                             [&](wire::Request::Builder request) {
                               auto upgrade = request.initUpgrade();
                               upgrade.setProgram(program);
                               upgrade.setTimeoutMs(static_cast<uint32_t>(timeout_ms));
                               upgrade.setDryRun(only_ask_);
                             },
                         .expected = wire::Reply::UPGRADED,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           const auto upgraded = reply.getUpgraded();
                           session.console.data(session.format == Format::json ? upgraded_json(upgraded, only_ask_)
                                                                               : upgraded_text(upgraded, only_ask_));
                           return ExitCode::ok;
                         },
                         .effect = only_ask_ ? Effect::none : Effect::changes_arenas,
                         .meanwhile = [&progress] { progress.look(); }});
  }

 private:
  std::string program_;
  bool only_ask_ = false;
};

}  // namespace

std::unique_ptr<Command> upgrade_command() {
  return std::make_unique<UpgradeCommand>();
}

}  // namespace arenad::cli
