#include "cli/item_report.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/json.h"
#include "cli/printable.h"
#include "ipc/control_client.h"

namespace arenad::cli {
namespace {

std::string label_of(wire::Item::Reader item) {
  const std::string name = text_of(item.getName());
  return printable(name.empty() ? text_of(item.getId()) : name);
}

std::string line_of(wire::Item::Reader item) {
  const std::string done = text_of(item.getOk());
  return label_of(item) + ": " + (done.empty() ? "done" : printable(done)) + "\n";
}

ExitCode report_item(const Session& session, wire::Item::Reader item) {
  if (item.isError()) {
    const auto failure = item.getError();
    session.console.error(label_of(item) + ": " + printable(text_of(failure.getMessage())));
    return exit_code_of(error_code_of(failure.getCode()));
  }
  if (session.format == Format::text) session.console.data(line_of(item));
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
  for (const auto item : items) code = worst(code, report_item(session, item));
  return code;
}

}  // namespace arenad::cli
