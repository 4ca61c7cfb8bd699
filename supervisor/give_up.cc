#include "supervisor/give_up.h"

#include <cstdlib>
#include <string>
#include <unistd.h>

#include "supervisor/log.h"

namespace arenad {

void leave_it_to_the_next(const Error& error) {
  log_error("msg=\"arenad cannot begin: {}; arenas go on without it until the next one\"", error.text());
  flush_log();
  pause_before_next_start();
  ::_exit(1);
}

void pause_before_next_start() {
  const char* started_by_systemd = ::getenv("SYSTEMD_EXEC_PID");
  if (started_by_systemd != nullptr && started_by_systemd == std::to_string(::getpid())) ::sleep(1);
}

}  // namespace arenad
