#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/follow.h"
#include "cli/lifecycle_text.h"
#include "cli/selection.h"
#include "ipc/printable.h"
#include "ipc/text.h"

namespace arenad::cli {
namespace {

class EventsCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "events",
        .summary = "Shows what has happened to arenas, numbered without a gap; --follow goes on with what happens",
        .example = "arenactl events --follow --json",
        .details =
            "Oldest first, each event in a line; --json makes each line an object. Numbers count from 1, also over the\n"
            "death of arenad and over upgrades: each event comes once, and with no selection none is missing. The newest\n"
            "ten thousand are kept, in the database. --since N begins with the event after number N; if it is not kept any\n"
            "more, that is said, in JSON by {\"gap\": {\"from\", \"to\"}}.\n"
            "Of an arena that is not there and has no events it is said so: with --follow that is a note, else an error.\n"
            "With --follow arenad may die and come back: arenactl goes on where it was.\n\n"
            "Types: started ready died recovered adopted resumed handing-over handed-over passed taken-back draining\n"
            "undrained quarantined stopped ended failed lost, of arenas; rollout-begun rollout-step rollout-over, of games;\n"
            "arenad-started arenad-upgraded arenad-stopping config-reloaded.\n\n"
            "Examples:\n"
            "  arenactl events -n 20 'duel-*'\n"
            "  arenactl events --follow --json --type died --type recovered\n"
            "  arenactl events --since 4711 --json\n"};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    app.add_option("-n,--limit", limit_text_, "The newest so many; default 100")->option_text("N");
    app.add_option("--since", since_text_, "Those after this number, instead of the newest")->option_text("N");
    app.add_option("--type", types_, "Only of this type; may be given several times")->option_text("TYPE");
    app.add_flag("-f,--follow", follows_, "Then go on with what happens, until Ctrl-C or --timeout");
  }

  ExitCode run(const Session& session) override {
    if (const auto read = read_options(); !read) return session.fail(read.error());
    if (follows_) return cli::follow(session, [this](const Session& asking) { return ask_once(asking); });
    // The newest, or the first ones after a number; then all that follow, as many as come in a message each time.
    auto more = ask_once(session);
    while (more && more.value()) more = ask_once(session);
    if (!more) return session.fail(more.error());
    if (!unknown_.empty()) return fail_unknown(session);
    if (shown_ == 0) session.console.note("nothing of that has happened yet, or it is not kept any more");
    return ExitCode::ok;
  }

 private:
  static constexpr uint64_t kMostEvents = 1000;  // in a message
  static constexpr uint64_t kDefaultEvents = 100;

  [[nodiscard]] Result<void> read_options() {
    if (auto checked = check_selection(selection_, Nothing::allowed); !checked) return checked;
    const auto limit = parse_count("--limit", limit_text_, kMostEvents, kDefaultEvents);
    if (!limit) return limit.error();
    limit_ = static_cast<uint32_t>(limit.value());
    if (since_text_.empty()) return {};
    if (!limit_text_.empty()) return make_error(ErrorCode::invalid, "either --limit or --since, not both");
    uint64_t since = 0;
    const char* end = since_text_.data() + since_text_.size();
    const auto [at, error] = std::from_chars(since_text_.data(), end, since);
    if (error != std::errc() || at != end) {
      return make_error(ErrorCode::invalid, "--since: '" + since_text_ + "' is no number of an event");
    }
    after_ = since;
    return {};
  }

  void fill(wire::EventQuery::Builder query) const {
    fill_selection(query.initSelection(), selection_);
    query.setLimit(after_ ? static_cast<uint32_t>(kMostEvents) : limit_);
    query.setHasAfter(after_.has_value());
    query.setAfter(after_.value_or(0));
    query.setWantsUnknown(!has_asked_);
    auto types = query.initTypes(static_cast<unsigned>(types_.size()));
    for (unsigned i = 0; i < types.size(); ++i) types.set(i, types_[i]);
  }

  // Whether there is more to be asked for at once.
  Result<bool> ask_once(const Session& session) {
    bool more = false;
    const auto asked = try_ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initEvents()); },
                                         .expected = wire::Reply::EVENTS,
                                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                           const auto events = reply.getEvents();
                                           if (auto sound = check_numbers(session, events); !sound) return sound.error();
                                           for (const auto event : events.getEvents()) show(session, event);
                                           for (const auto name : events.getUnknown()) unknown_.push_back(text_of(name));
                                           if (follows_) note_unknown(session);
                                           has_asked_ = true;
                                           after_ = events.getNext();
                                           more = events.getNext() < events.getNewest();
                                           return ExitCode::ok;
                                         }});
    if (!asked) return asked.error();
    return more;
  }

  // What is not kept any more, and numbers that begin anew.
  [[nodiscard]] Result<void> check_numbers(const Session& session, wire::Events::Reader events) const {
    if (!after_) return {};
    if (events.getNewest() < *after_) {
      return make_error(
          ErrorCode::corrupt,
          fmt::format("the events are numbered anew: the newest is {}, and {} was seen before; arenad has another "
                      "database now",
                      events.getNewest(), *after_));
    }
    if (events.getOldest() <= *after_ + 1) return {};
    if (session.format == Format::json) session.console.data(lifecycle_gap_json(*after_ + 1, events.getOldest() - 1));
    session.console.note(fmt::format("events {} to {} are not kept any more", *after_ + 1, events.getOldest() - 1));
    return {};
  }

  // Somebody who follows may wait for an arena that is not there yet.
  void note_unknown(const Session& session) {
    for (const std::string& name : std::exchange(unknown_, {})) session.console.note(printable(unknown_arena(name).message));
  }

  [[nodiscard]] ExitCode fail_unknown(const Session& session) const {
    for (const std::string& name : unknown_) (void)session.fail(unknown_arena(name));
    return ExitCode::unknown_arena;
  }

  static Error unknown_arena(const std::string& name) {
    return make_error(ErrorCode::unknown_arena, "no events of " + name + " are kept, and no such arena is there");
  }

  void show(const Session& session, wire::LifecycleEvent::Reader event) {
    ++shown_;
    session.console.data(session.format == Format::json ? lifecycle_json(event)
                                                        : lifecycle_text(event, session.console.colour()));
  }

  ArenaSelection selection_;
  std::vector<std::string> types_;
  std::string limit_text_;
  std::string since_text_;
  bool follows_ = false;
  uint32_t limit_ = 0;
  std::optional<uint64_t> after_;  // nothing: the newest
  bool has_asked_ = false;
  std::vector<std::string> unknown_;  // what was selected
  uint64_t shown_ = 0;
};

}  // namespace

std::unique_ptr<Command> events_command() {
  return std::make_unique<EventsCommand>();
}

}  // namespace arenad::cli
