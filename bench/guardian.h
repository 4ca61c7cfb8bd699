// Leaves nothing behind, however a run ends: the run is a child process with a private folder. When it has ended, or Ctrl-C or
// SIGTERM has ended it, the guardian waits for all that it had started, and then removes the folder.
//
// The chain that makes this hold: a run's arenad gets SIGTERM and its other processes SIGKILL when the run dies; who is orphaned
// becomes the guardian's child.
#pragma once

#include <filesystem>
#include <functional>

namespace arenad::bench {

// Gives what the run gave, or 128 and the number of the signal that ended it. Only for a process with one thread and no child.
int run_guarded(const std::function<int(const std::filesystem::path& folder)>& run);

}  // namespace arenad::bench
