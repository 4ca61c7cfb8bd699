// A signal whose default action would end the process, while nobody listens for it yet or any more. One that comes while it is held is
// delivered when it is let go. Of the calling thread, and of those that it begins; a program that is executed inherits it.
#pragma once

#include <array>
#include <csignal>

namespace arenad {

// What operators and service managers tell arenad by signals (supervisor.cc), and each would end it if nobody listened.
inline constexpr std::array kSignalsOfOperators{SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

inline void hold_signal(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

inline void let_go_of_signal(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace arenad
