// quarantine, which lists, and quarantine list, show, retry, drop.
#include <array>
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <capnp/message.h>

#include "cli/arena_action.h"
#include "cli/command.h"
#include "cli/id_argument.h"
#include "cli/item_report.h"
#include "cli/quarantine_json.h"
#include "cli/quarantine_page.h"
#include "cli/selection.h"
#include "cli/table_options.h"
#include "ipc/control_client.h"

namespace arenad::cli {
namespace {

constexpr std::string_view kWhat = "an event in quarantine";

void fill_ids(capnp::List<uint64_t>::Builder list, const std::vector<uint64_t>& ids) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, ids[i]);
}

class QuarantineListCommand : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "list",
            .summary = "Shows what is in quarantine, newest first",
            .example = {},
            .details =
                "Without an arena, of all of them, ended ones included.\n\n"
                "Examples:\n"
                "  arenactl quarantine list\n"
                "  arenactl quarantine list 'duel-*' -o id,arena\n\n" +
                columns_help()};
  }

  void add_options(CLI::App& app) override {
    add_selection(app, selection_);
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    if (const auto checked = check_selection(selection_, Nothing::allowed); !checked) return session.fail(checked.error());
    if (const auto checked = table_.check(); !checked) return session.fail(checked.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { fill(request.initQuarantine()); },
                         .expected = wire::Reply::QUARANTINE,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getQuarantine());
                         },
                         .if_unknown = hint()});
  }

 protected:
  [[nodiscard]] std::string columns_help() const { return table_.help(); }

 private:
  void fill(wire::Selection::Builder builder) const {
    fill_selection(builder, selection_);
    builder.setAll(selection_.arenas.empty());
  }

  // Its own verbs, if it has any.
  [[nodiscard]] std::string hint() const {
    std::vector<std::string> words;
    for (const auto& command : verbs()) words.push_back(command->verb().name);
    return perhaps_a_verb(selection_, words);
  }

  [[nodiscard]] ExitCode report(const Session& session, capnp::List<wire::QuarantinedEvent>::Reader events) const {
    const Console& console = session.console;
    console.data(session.format == Format::json ? quarantine_json(events)
                                                : table_.text(quarantine_table(events), console.colour()));
    if (events.size() == 0) console.note("nothing is in quarantine" + hint());
    return ExitCode::ok;
  }

  ArenaSelection selection_;
  TableOptions table_{quarantine_table({})};
};

class QuarantineShowCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "show",
            .summary = "Shows one event with all that it says",
            .example = {},
            .details =
                "As text, if arenad knows the types of the game; else its bytes.\n\n"
                "Examples:\n"
                "  arenactl quarantine show 5\n"
                "  arenactl quarantine show 5 --json | jq -r .quarantined.message_hex | xxd -r -p > event.bin\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ID", id_text_, "The number that arenactl quarantine shows")->required()->option_text(" ");
  }

  ExitCode run(const Session& session) override {
    const auto id = parse_id(kWhat, id_text_);
    if (!id) return session.fail(id.error());
    return ask(session, {.fill = [&](wire::Request::Builder request) { request.setQuarantined(id.value()); },
                         .expected = wire::Reply::QUARANTINED,
                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                           return report(session, reply.getQuarantined());
                         }});
  }

 private:
  static ExitCode report(const Session& session, wire::QuarantinedDetail::Reader detail) {
    const Console& console = session.console;
    const EventReading reading = reading_of(detail);
    console.data(session.format == Format::json ? quarantined_json(detail, reading)
                                                : render_quarantined_page(detail, reading, console.colour()));
    return ExitCode::ok;
  }

  std::string id_text_;
};

// The entries that there are, an item each: what would be done with them.
ExitCode preview(const Session& session, const std::vector<uint64_t>& ids, const char* would) {
  capnp::MallocMessageBuilder message;
  auto items = message.initRoot<wire::Reply>().initItems(static_cast<unsigned>(ids.size()));
  for (unsigned i = 0; i < items.size(); ++i) {
    items[i].setId(std::to_string(ids[i]));
    const auto asked = try_ask(session, {.fill = [&](wire::Request::Builder request) { request.setQuarantined(ids[i]); },
                                         .expected = wire::Reply::QUARANTINED,
                                         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                           items[i].setName(reply.getQuarantined().getEvent().getName());
                                           items[i].setOk(would);
                                           return ExitCode::ok;
                                         }});
    if (asked) continue;
    if (asked.error().code == ErrorCode::unreachable) return session.fail(asked.error());
    auto failure = items[i].initError();
    failure.setCode(failure_code_of(asked.error().code));
    failure.setMessage(asked.error().message);
  }
  const auto code = report_numbered_items(session, items.asReader());
  note_dry_run(session);
  return code ? code.value() : session.fail(code.error());
}

class QuarantineRetryCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "retry",
            .summary = "Gives events to their arenas once more",
            .example = {},
            .details =
                "For an event that was withheld because of a fault of the game which is mended now. If it kills the arena\n"
                "again, it goes back into quarantine.\n\n"
                "Examples:\n"
                "  arenactl quarantine retry 5\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ID", id_texts_, "Numbers that arenactl quarantine shows")->required()->option_text(" ");
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    const auto ids = parse_ids(kWhat, id_texts_);
    if (!ids) return session.fail(ids.error());
    if (options_.dry_run) return preview(session, ids.value(), "would be given to its arena once more");
    const auto count = static_cast<unsigned>(ids.value().size());
    return ask(
        session,
        {.fill = [&](wire::Request::Builder request) { fill_ids(request.initQuarantineRetry(count), ids.value()); },
         .expected = wire::Reply::ITEMS,
         .read = [&](wire::Reply::Reader reply, std::span<Fd>) { return report_numbered_items(session, reply.getItems()); },
         .effect = Effect::changes_arenas});
  }

 private:
  std::vector<std::string> id_texts_;
  ActionOptions options_;
};

class QuarantineDropCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "drop",
            .summary = "Throws events away for good",
            .example = {},
            .details =
                "The arena has never applied them and never will.\n\n"
                "Examples:\n"
                "  arenactl quarantine drop 5\n"
                "  arenactl quarantine drop 5 6 7 --yes\n"};
  }

  void add_options(CLI::App& app) override {
    app.add_option("ID", id_texts_, "Numbers that arenactl quarantine shows")->required()->option_text(" ");
    add_yes(app, options_, "really several are meant");
    add_dry_run(app, options_);
  }

  ExitCode run(const Session& session) override {
    const auto ids = parse_ids(kWhat, id_texts_);
    if (!ids) return session.fail(ids.error());
    if (options_.dry_run) return preview(session, ids.value(), "would be thrown away for good");
    const auto count = static_cast<unsigned>(ids.value().size());
    if (const auto allowed = check(session, count); !allowed) return session.fail(allowed.error());
    return ask(
        session,
        {.fill = [&](wire::Request::Builder request) { fill_ids(request.initQuarantineDrop(count), ids.value()); },
         .expected = wire::Reply::ITEMS,
         .read = [&](wire::Reply::Reader reply, std::span<Fd>) { return report_numbered_items(session, reply.getItems()); },
         .effect = Effect::changes_arenas});
  }

 private:
  [[nodiscard]] Result<void> check(const Session& session, unsigned count) const {
    if (count == 1) return {};
    return confirm_all(session.console, options_.yes ? Consent::given : Consent::to_be_asked,
                       fmt::format("throw away {} events at {}", count, session.socket_path));
  }

  std::vector<std::string> id_texts_;
  ActionOptions options_;
};

class QuarantineCommand final : public QuarantineListCommand {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "quarantine",
            .summary = "Shows events that are withheld because they kill their arenas; retry, drop",
            .example = "arenactl quarantine retry 5",
            .details =
                "An event that was being applied in two deaths in a row is not given to its arena any more. Without a verb,\n"
                "as quarantine list.\n"
                "An arena that is called like a verb: arenactl quarantine list -- show\n\n"
                "Examples:\n"
                "  arenactl quarantine\n"
                "  arenactl quarantine show 5\n"
                "  arenactl quarantine retry 5\n"
                "  arenactl quarantine drop 5\n\n" +
                columns_help()};
  }

  [[nodiscard]] std::span<const std::unique_ptr<Command>> verbs() const override { return verbs_; }

 private:
  Commands verbs_ = [] {
    Commands verbs;
    verbs.push_back(std::make_unique<QuarantineListCommand>());
    verbs.push_back(std::make_unique<QuarantineShowCommand>());
    verbs.push_back(std::make_unique<QuarantineRetryCommand>());
    verbs.push_back(std::make_unique<QuarantineDropCommand>());
    return verbs;
  }();
};

}  // namespace

std::unique_ptr<Command> quarantine_command() {
  return std::make_unique<QuarantineCommand>();
}

}  // namespace arenad::cli
