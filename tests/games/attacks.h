// What hostile game code would try against arenad, other arenas and the machine.
#pragma once

#include <string>
#include <sys/types.h>

namespace arenad::echo {

// An attack that must not work and does throws, so that a test sees it. target: a process; path: a file or a socket.
// how: see attacks.cc. One that is not known is none.
void attack(const std::string& how, pid_t target, const std::string& path);

}  // namespace arenad::echo
