// Rollouts as a table, a row for each game: for scripts and for many games.
#pragma once

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

Table rollout_table(capnp::List<wire::Rollout>::Reader rollouts);

}  // namespace arenad::cli
