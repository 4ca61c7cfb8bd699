// Goes on asking, for who follows what happens. arenad is asked every 200 ms over a connection of its own, so that following outlives its
// death and its upgrades, and arenad keeps nothing for whoever is slow.
#pragma once

#include <functional>

#include "cli/session.h"

namespace arenad::cli {

// next: one question; true if there may be more at once. Returns when it fails for another reason than that nobody answers, when nobody has
// ever answered for half a minute, on Ctrl-C, when nobody reads standard output any more, or when the session's timeout, if it was given, is over: the last three are no failures.
[[nodiscard]] ExitCode follow(const Session& session, const std::function<Result<bool>(const Session&)>& next);

}  // namespace arenad::cli
