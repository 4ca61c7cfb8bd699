// What a service says to the keeper over NOTIFY_SOCKET (keeper/notification.h).
#include "keeper/notification.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const Notification heard = parse_notification(input);
  ARENAD_ASSERT(is_descriptor_name(heard.name));
  // Lines are heard one by one: a later one that says something is heard whatever stands before it.
  const Notification more = parse_notification(std::string(input) + "\nREADY=1\nFDNAME=last\nWATCHDOG_USEC=5");
  ARENAD_ASSERT(more.ready && more.name == "last" && more.watchdog_usec == 5u);
  ARENAD_ASSERT(more.store == heard.store && more.stopping == heard.stopping && more.status == heard.status);
}

std::vector<std::string> seeds() {
  return {"READY=1\nSTATUS=12 arenas\n",
          "WATCHDOG=1",
          "WATCHDOG=trigger\nWATCHDOG_USEC=20000000",
          "FDSTORE=1\nFDPOLL=0\nFDNAME=arena.x",
          "FDSTOREREMOVE=1\nFDNAME=arena.x",
          "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000"};
}

}  // namespace

extern const Harness notification_harness;
const Harness notification_harness{run,
                                   seeds,
                                   {"READY=1", "STOPPING=1", "WATCHDOG=", "trigger", "FDSTORE=1", "FDSTOREREMOVE=1",
                                    "FDPOLL=", "FDNAME=", "STATUS=", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=", "\n"},
                                   256};

}  // namespace arenad::fuzz
