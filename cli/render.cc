#include "cli/render.h"

#include <cctype>
#include <fmt/format.h>

#include "cli/arena_state.h"
#include "cli/program_version.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

std::string heading_of(std::string_view name) {
  std::string heading;
  for (const char c : name) heading += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return heading;
}

Cell cell_of(const ArenaField& field, const ArenaAt& arena) {
  Cell cell{field_text(field.value(arena))};
  if (field.column == "state") cell.tone = tone_of(standing_of(text_of(arena.status.getState())));
  return cell;
}

std::string duration_of_ms(uint64_t ms) {
  return duration_text(static_cast<double>(ms) * 1000);
}

}  // namespace

std::string render_status_table(capnp::List<wire::ArenaStatus>::Reader arenas, const StatusTable& form) {
  std::vector<Column> columns;
  for (const ArenaField* field : form.columns) columns.push_back({heading_of(field->column), field->align});
  Table table(std::move(columns));
  for (const auto arena : arenas) {
    std::vector<Cell> row;
    for (const ArenaField* field : form.columns) row.push_back(cell_of(*field, {arena, form.now_unix_ms}));
    table.add_row(std::move(row));
  }
  return table.text(form.colour, form.header);
}

std::string render_daemon_line(wire::DaemonStatus::Reader daemon) {
  return fmt::format(
      "arenad {}, pid {}, up {}: {} running, {} clients, {} recoveries, {} shared memory, checkpoints {} behind, "
      "configuration {}\n",
      printable(text_of(daemon.getVersion())), daemon.getPid(), duration_of_ms(daemon.getUptimeMs()), daemon.getRunning(),
      daemon.getClients(), daemon.getRecoveries(), bytes_text(daemon.getSharedMemoryBytes()),
      duration_of_ms(daemon.getCheckpointLagMs()), printable(text_of(daemon.getConfiguration())));
}

std::vector<std::string> daemon_warnings(wire::DaemonStatus::Reader daemon) {
  std::vector<std::string> warnings;
  if (daemon.getDraining()) warnings.emplace_back("arenad is draining and starts no new arenas");
  const std::string store_error = text_of(daemon.getStoreError());
  if (!store_error.empty()) {
    warnings.push_back("the database does not take checkpoints: " + printable(store_error) +
                       "; arenas go on, but do not survive the loss of this machine");
  }
  if (daemon.getCheckpointAlarm()) {
    warnings.push_back(fmt::format(
        "checkpoints are {} behind, which is more than checkpoint.alarm_ms allows; is the disk slow or full? Arenas go on, but "
        "what came since does not survive the loss of this machine",
        duration_of_ms(daemon.getCheckpointLagMs())));
  }
  for (const auto notice : daemon.getNotices()) warnings.push_back(printable(text_of(notice)));
  return warnings;
}

std::string render_versions(wire::Version::Reader daemon) {
  return fmt::format("arenactl: {}, protocol {}\narenad: {}, protocol {}, pid {}, up {}\n", kProgramVersion,
                     wire::PROTOCOL_VERSION, printable(text_of(daemon.getProgram())), daemon.getProtocol(), daemon.getPid(),
                     duration_of_ms(daemon.getUptimeMs()));
}

}  // namespace arenad::cli
