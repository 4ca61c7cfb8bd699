// Rollouts and the versions of games in JSON; the rules are those of json.h.
#pragma once

#include <string>

#include "arenad/result.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// {"rollout": {"id", "game", "from_version", "from_code", "to_version", "to_code", "state", "total", "passed", "on_probation", "waiting",
// "gone", "pinned", "failures": [{"id", "name", "why"}], "elapsed_ms", "is_over"}}
std::string rollout_json(wire::Rollout::Reader rollout);

// The same and {"error": {"code", "message"}}: how it was when it failed, or when nobody waited for it any more.
std::string rollout_json(wire::Rollout::Reader rollout, const Error& error);

// {"rollouts": [{as above}]}
std::string rollouts_json(capnp::List<wire::Rollout>::Reader rollouts);

// {"versions": [{"game", "version", "code", "file", "current", "previous", "configured", "arenas"}]}
std::string game_versions_json(capnp::List<wire::GameVersion>::Reader versions);

}  // namespace arenad::cli
