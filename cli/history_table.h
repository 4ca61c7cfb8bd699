// What was asked of arenad, for people and for programs.
#pragma once

#include <string>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// By id, newest first, as it comes.
Table history_table(capnp::List<wire::HistoryEntry>::Reader entries);

// {"history": [{"id", "at_unix_ms", "pid", "uid", "gid", "verb", "subject", "outcome", "detail"}]}
std::string history_json(capnp::List<wire::HistoryEntry>::Reader entries);

}  // namespace arenad::cli
