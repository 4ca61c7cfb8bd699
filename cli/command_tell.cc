#include <cerrno>
#include <unistd.h>

#include <CLI/App.hpp>

#include "cli/arena_action.h"
#include "cli/command.h"
#include "ipc/limits.h"
#include "ipc/text.h"

namespace arenad::cli {
namespace {

// So much of standard input that arenad finds what is too long.
constexpr size_t kEnoughBytes = limits::kMaxSignalBytes + 1;

Result<std::string> read_standard_input() {
  std::string text(kEnoughBytes, '\0');
  size_t used = 0;
  while (used < text.size()) {
    const ssize_t count = ::read(STDIN_FILENO, text.data() + used, text.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read standard input");
    if (count == 0) break;
    used += static_cast<size_t>(count);
  }
  text.resize(used);
  return text;
}

class TellCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "tell",
            .summary = "Tells the games of arenas something, and prints what they reply",
            .example = "arenactl tell duel-1 close-zone '{\"seconds\": 30}'",
            .details =
                "ARENA NAME [TEXT]. What names there are, what the text means and what is replied is the game's: its\n"
                "on_signal is called in a frame, once, also if the worker dies. A game that fails over it is recovered as it\n"
                "was before, without it. TEXT - is standard input, of at most 8 KiB.\n\n"
                "Examples:\n"
                "  arenactl tell duel-1 close-zone '{\"seconds\": 30}'\n"
                "  arenactl tell 'ranked-*' announce 'Maintenance at noon'\n"
                "  arenactl tell duel-1 load-map - < map.json\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ARENA", arena_, kWhichArenas)->required()->option_text(" ");
    app.add_option("NAME", name_, "1 to 64 letters, digits, '.', '-' and '_'")->required()->option_text(" ");
    app.add_option("TEXT", text_, "What goes with it; - is standard input")->option_text(" ");
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    const ArenaSelection selection{.arenas = {arena_}, .all = false};
    if (const auto checked = check_selection(selection, Nothing::refused); !checked) return session.fail(checked.error());
    if (text_ == "-") {
      auto read = read_standard_input();
      if (!read) return session.fail(read.error());
      text_ = std::move(*read);
    }
    return act_on_arenas(session, selection, options_,
                         {.would = "would be told " + name_,
                          .doing = "telling",
                          .fill =
                              [&](wire::Request::Builder request) {
                                auto tell = request.initTell();
                                fill_selection(tell.initSelection(), selection);
                                tell.setName(name_);
                                tell.setPayload(whole_text(text_));
                              },
                          // arenad gives up one that is silent before that, and has the others' replies then.
                          .default_timeout_ms = 2 * kDefaultTimeoutMs});
  }

 private:
  std::string arena_;
  std::string name_;
  std::string text_;
  ActionOptions options_;
};

}  // namespace

std::unique_ptr<Command> tell_command() {
  return std::make_unique<TellCommand>();
}

}  // namespace arenad::cli
