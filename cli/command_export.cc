#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/quantity.h"
#include "cli/recording_file.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

class ExportCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "export",
            .summary = "Saves a recording of an arena, to run it again elsewhere",
            .example = "arenactl export duel-1 duel-1.recording",
            .details =
                "The recording is a snapshot and every frame since. FILE appears when all of it is on the disk; until\n"
                "then it is called FILE.tmp. FILE - is standard output.\n\n"
                "Examples:\n"
                "  arenactl export duel-1 duel-1.recording\n"
                "  arenactl export duel-1 - | zstd > duel-1.recording.zst\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ARENA", arena_, "A name or id")->required()->option_text(" ");
    app.add_option("FILE", file_, "Where to; - is standard output")->required()->option_text(" ");
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check(session); !checked) return session.fail(checked.error());
    return ask(session,
               {.fill = [&](wire::Request::Builder request) { request.setExport(arena_); },
                .expected = wire::Reply::EXPORTED,
                .read = [&](wire::Reply::Reader reply, std::span<Fd> fds) { return save(session, reply.getExported(), fds); }});
  }

 private:
  [[nodiscard]] bool to_standard_output() const { return file_ == "-"; }

  [[nodiscard]] Result<void> check(const Session& session) const {
    if (file_.empty()) return make_error(ErrorCode::invalid, "the name of the file is empty");
    if (!to_standard_output()) return {};
    if (session.format == Format::json) return make_error(ErrorCode::invalid, "--json and FILE - both want standard output");
    if (session.console.on_terminal()) {
      return make_error(ErrorCode::invalid, "a recording is no text; send it to a file or a pipe, not to the terminal");
    }
    return {};
  }

  [[nodiscard]] Result<ExitCode> save(const Session& session, uint64_t bytes, std::span<Fd> fds) const {
    if (fds.size() != 1 || !fds[0]) return make_error(ErrorCode::corrupt, "arenad sent no recording along with its reply");
    const auto saved = to_standard_output() ? copy_memfd(fds[0], bytes, STDOUT_FILENO) : save_memfd(fds[0], bytes, file_);
    if (!saved) return saved.error();
    if (!to_standard_output()) report(session, bytes);
    return ExitCode::ok;
  }

  void report(const Session& session, uint64_t bytes) const {
    if (session.format == Format::json) {
      session.console.data(exported_json(arena_, file_, bytes));
    } else {
      session.console.data(fmt::format("{}: saved {} to {}\n", printable(arena_), bytes_text(bytes), printable(file_)));
    }
  }

  std::string arena_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> export_command() {
  return std::make_unique<ExportCommand>();
}

}  // namespace arenad::cli
