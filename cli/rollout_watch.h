// Begins a rollout, and waits for its end.
//
// The rollout goes on in arenad whether anybody waits or not. So waiting outlives arenad: it is asked every 200 ms over a connection of
// its own, and one that does not answer is asked again for half a minute, in which the next one has come: the rollout goes on there.
#pragma once

#include <functional>
#include <vector>

#include "cli/rollout_options.h"
#include "cli/session.h"

namespace arenad::cli {

struct RolloutRequest {
  std::function<void(wire::Request::Builder)> fill;
  std::vector<int> fds;  // that go with it
};

// Asks for a rollout, says what it is, and, as the options say, how it goes and what became of it. ExitCode::ok without waiting means
// that it has begun, with waiting that it is done. Session's timeout is for all of it; 0, and none, are no limit.
[[nodiscard]] ExitCode run_rollout(const Session& session, const RolloutOptions& options, const RolloutRequest& request);

}  // namespace arenad::cli
