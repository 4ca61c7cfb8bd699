#include "cli/item_report.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/json.h"
#include "ipc/control_client.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

std::string name_label(wire::Item::Reader item) {
  const std::string name = text_of(item.getName());
  return printable(name.empty() ? text_of(item.getId()) : name);
}

std::string number_label(wire::Item::Reader item) {
  const std::string name = text_of(item.getName());
  return printable(text_of(item.getId()) + (name.empty() ? "" : " (" + name + ")"));
}

std::string outcome_of(wire::Item::Reader item) {
  const std::string done = text_of(item.getOk());
  return done.empty() ? "done" : printable(done);
}

ExitCode report_item(const Session& session, wire::Item::Reader item, const std::string& label) {
  if (item.isError()) {
    const auto failure = item.getError();
    session.console.error(label + ": " + printable(text_of(failure.getMessage())));
    return exit_code_of(error_code_of(failure.getCode()));
  }
  if (session.format == Format::text) session.console.data(label + ": " + outcome_of(item) + "\n");
  return ExitCode::ok;
}

}  // namespace

Result<ExitCode> report_items(const Session& session, const ArenaSelection& selection, capnp::List<wire::Item>::Reader items) {
  if (items.size() == 0 && !selection.arenas.empty()) {
    return make_error(ErrorCode::unknown_arena, fmt::format("no arena matches {}", fmt::join(selection.arenas, " ")));
  }
  if (session.format == Format::json) session.console.data(items_json(items));
  if (items.size() == 0) session.console.note("there are no arenas");
  ExitCode code = ExitCode::ok;
  for (const auto item : items) code = worst(code, report_item(session, item, name_label(item)));
  return code;
}

ExitCode report_nothing(const Session& session, const std::string& why) {
  if (session.format == Format::json) session.console.data(items_json({}));
  session.console.note(why);
  return ExitCode::ok;
}

Result<ExitCode> report_numbered_items(const Session& session, capnp::List<wire::Item>::Reader items) {
  if (session.format == Format::json) session.console.data(numbered_items_json(items));
  ExitCode code = ExitCode::ok;
  for (const auto item : items) code = worst(code, report_item(session, item, number_label(item)));
  return code;
}

}  // namespace arenad::cli
