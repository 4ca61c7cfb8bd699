// Namespaces of its own for a run, where the system allows it: of processes, so that all of them end with it, whatever happens, and no number
// of a process that is gone can be that of a stranger; of mounts, with a /proc and a /dev/shm of its own; of IPC; and of the network, with
// nothing but loopback in it. An ordinary user gets them by a user namespace, in which he stays who he is.
//
//   this process --clone--> the first one in there --fork--> the run
//    waits, and passes       reaps orphans that nobody
//    on SIGTERM and such      else takes
//
// Sources: namespaces(7), pid_namespaces(7), user_namespaces(7).
#pragma once

#include <functional>
#include <string>

namespace arenad::chaos {

// Does it in there, or here if that is not allowed; and tells it which: "processes, mounts, IPC, network", or "none: ..." and why.
// Gives what it gives, or 128 and the number of the signal that it was ended by. For a process with one thread: it forks.
int in_private_namespaces(const std::function<int(const std::string& namespaces)>& run);

}  // namespace arenad::chaos
