// What the commands print for people: the tables and the lines around them. The page of one arena is arena_page.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/arena_fields.h"
#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

struct StatusTable {
  std::vector<const ArenaField*> columns;
  uint64_t now_unix_ms = 0;
  Colour colour = Colour::none;
  Header header = Header::shown;
};
std::string render_status_table(capnp::List<wire::ArenaStatus>::Reader arenas, const StatusTable& form);

// One line on arenad as a whole.
std::string render_daemon_line(wire::DaemonStatus::Reader daemon);
// What is wrong with arenad or worth knowing since its start; usually nothing.
std::vector<std::string> daemon_warnings(wire::DaemonStatus::Reader daemon);

std::string render_versions(wire::Version::Reader daemon);

}  // namespace arenad::cli
