#include "cli/arena_action.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <capnp/message.h>

#include "cli/arena_fields.h"
#include "cli/item_report.h"
#include "ipc/control_client.h"
#include "ipc/request_limits.h"

namespace arenad::cli {
namespace {

struct Found {
  std::string id;
  std::string name;
  Result<std::string> state;
};

class Finder {
 public:
  Finder(const Session& session, const ArenaAction& action) : session_(session), action_(action) {}

  // What does not exist is found too, with the error that arenad gave. An error if arenad cannot be asked.
  Result<std::vector<Found>> find(const ArenaSelection& selection) {
    if (selection.all || selection.arenas.empty()) {
      if (auto asked = ask_for({{}, true}); !asked) return asked.error();
    }
    for (const std::string& arena : selection.arenas) {
      auto asked = ask_for({{arena}, false});
      if (asked) continue;
      if (asked.error().code != ErrorCode::unknown_arena) return asked.error();
      found_.push_back({"", arena, asked.error()});
    }
    return std::move(found_);
  }

 private:
  Result<ExitCode> ask_for(const ArenaSelection& selection) {
    return try_ask(session_, {.fill =
                                  [&](wire::Request::Builder request) {
                                    auto builder = request.initStatus();
                                    fill_selection(builder, selection);
                                    builder.setFinished(action_.reaches_resting);
                                  },
                              .expected = wire::Reply::STATUS,
                              .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                for (const auto arena : reply.getStatus().getArenas()) add(arena, selection.all);
                                return ExitCode::ok;
                              }});
  }

  void add(wire::ArenaStatus::Reader arena, bool one_of_all) {
    if (one_of_all && action_.concerns && !action_.concerns(arena)) return;
    const std::string id = text_of(arena.getId());
    if (ids_.insert(id).second) found_.push_back({id, text_of(arena.getName()), text_of(arena.getState())});
  }

  const Session& session_;
  const ArenaAction& action_;
  std::vector<Found> found_;
  std::set<std::string> ids_;
};

using Say = std::function<std::string(const std::string& state)>;

// Of each of them an item, as arenad would have answered. say: of one that is there.
ExitCode report_found(const Session& session, const ArenaSelection& selection, const ArenaAction& action,
                      const std::vector<Found>& found, const Say& say) {
  capnp::MallocMessageBuilder message;
  auto items = message.initRoot<wire::Reply>().initItems(static_cast<unsigned>(found.size()));
  for (unsigned i = 0; i < items.size(); ++i) {
    const Found& one = found[i];
    items[i].setId(one.id);
    items[i].setName(one.name);
    if (one.state) {
      items[i].setOk(say(one.state.value()));
      continue;
    }
    auto failure = items[i].initError();
    failure.setCode(failure_code_of(one.state.error().code));
    failure.setMessage(one.state.error().message);
  }
  if (items.size() == 0) return report_nothing(session, action.if_none);
  const auto code = report_items(session, selection, items.asReader());
  return code ? code.value() : session.fail(code.error());
}

ExitCode preview(const Session& session, const ArenaSelection& selection, const ArenaAction& action) {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<wire::Request>();
  action.fill(request);
  if (const auto checked = check_request(request.asReader()); !checked) return session.fail(checked.error());
  const auto found = Finder(session, action).find(selection);
  if (!found) return session.fail(found.error());
  const ExitCode code = report_found(session, selection, action, found.value(),
                                     [&](const std::string& state) { return action.would + ", and is " + state + " now"; });
  note_dry_run(session);
  return code;
}

// How those stand now that all were asked about before: some may rest already, and all that are asked for are only those that do not.
Result<std::vector<Found>> find_again(const Session& session, ArenaAction action, std::vector<Found> before) {
  action.reaches_resting = true;
  action.concerns = {};
  auto now = Finder(session, action).find({{}, true});
  if (!now) return now.error();
  std::map<std::string, Found> by_id;
  for (Found& one : now.value()) by_id.emplace(one.id, std::move(one));
  for (Found& one : before) {
    const auto again = by_id.find(one.id);
    one.state = again == by_id.end() ? Result<std::string>("not there any more") : std::move(again->second.state);
  }
  return before;
}

}  // namespace

void add_dry_run(CLI::App& verb, ActionOptions& options) {
  verb.add_flag("--dry-run", options.dry_run, "Says what would be done, and changes nothing");
}

void add_no_wait(CLI::App& verb, ActionOptions& options) {
  verb.add_flag("--no-wait", options.no_wait, "Returns as soon as arenad has begun, and does not wait for the end");
}

void add_yes(CLI::App& verb, ActionOptions& options, const std::string& what) {
  verb.add_flag("-y,--yes", options.yes, "Do not ask whether " + what);
}

Result<void> confirm_if_all(const Session& session, const ArenaSelection& selection, const ActionOptions& options,
                            const std::string& what) {
  if (options.dry_run || !means_all(selection)) return {};
  return confirm_all(session.console, options.yes ? Consent::given : Consent::to_be_asked,
                     what + " all arenas at " + session.socket_path);
}

ExitCode act_on_arenas(const Session& session, const ArenaSelection& selection, const ActionOptions& options,
                       const ArenaAction& action) {
  if (options.dry_run) return preview(session, selection, action);
  // Who it is asked of can be told before only: those that rest are not among all of them.
  const bool of_all = selection.all || selection.arenas.empty();
  std::vector<Found> all;
  if (options.no_wait && of_all) {
    auto found = Finder(session, action).find(selection);
    if (!found) return session.fail(found.error());
    all = std::move(found.value());
  }
  bool has_begun = false;
  std::optional<ArenaProgress> progress;
  if (!action.doing.empty()) progress.emplace(session, action.doing, selection, action.is_done);
  Question question{.fill = action.fill,
                    .expected = wire::Reply::ITEMS,
                    .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                      const auto items = reply.getItems();
                      if (selection.all && items.size() == 0) return report_nothing(session, action.if_none);
                      return report_items(session, selection, items);
                    },
                    .effect = Effect::changes_arenas,
                    .default_timeout_ms = action.default_timeout_ms};
  if (progress) question.meanwhile = [&progress] { progress->look(); };
  if (options.no_wait) question.begun = [&has_begun] { has_begun = true; };
  const ExitCode code = ask(session, question);
  if (!has_begun) return code;
  // By name those that rest by now are found too.
  auto found = of_all ? find_again(session, action, std::move(all)) : Finder(session, action).find(selection);
  if (!found) return session.fail(found.error());
  return report_found(session, selection, action, found.value(),
                      [](const std::string& state) { return "has begun; it is " + state; });
}

void note_dry_run(const Session& session) {
  session.console.note("a dry run: nothing was changed");
}

}  // namespace arenad::cli
