// The parts of arena-keeper: what a service says, and the descriptors that it stores.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "keeper/fd_store.h"
#include "keeper/notification.h"

namespace {

using namespace arenad;

Fd memory() {
  return Fd(::memfd_create("test", MFD_CLOEXEC));
}

}  // namespace

TEST_CASE("notification: what systemd knows") {
  const Notification n = parse_notification("READY=1\nSTATUS=300 arenas\nWATCHDOG_USEC=2000000\nEXTEND_TIMEOUT_USEC=5\n");
  CHECK(n.ready);
  CHECK(n.status == "300 arenas");
  CHECK(n.watchdog_usec == 2'000'000);
  CHECK(n.extend_timeout_usec == 5);
  CHECK_FALSE(n.stopping);
  CHECK_FALSE(n.store);
  CHECK(n.name == "stored");
  CHECK(n.poll);

  const Notification store = parse_notification("FDSTORE=1\nFDPOLL=0\nFDNAME=arena.X.region.1");
  CHECK(store.store);
  CHECK_FALSE(store.poll);
  CHECK(store.name == "arena.X.region.1");

  CHECK(parse_notification("WATCHDOG=1").watchdog_ping);
  CHECK(parse_notification("WATCHDOG=trigger").watchdog_trigger);
  CHECK(parse_notification("STOPPING=1").stopping);
  CHECK(parse_notification("FDSTOREREMOVE=1\nFDNAME=a").store_remove);
}

TEST_CASE("notification: what is not well-formed is left out") {
  for (const char* text :
       {"", "\n", "\n\n\n", "READY", "READY=", "READY=2", "ready=1", "=1", "FDSTORE=yes", "WATCHDOG=x",
        "WATCHDOG_USEC=", "WATCHDOG_USEC=-1", "WATCHDOG_USEC=1x", "EXTEND_TIMEOUT_USEC=99999999999999999999"}) {
    CAPTURE(text);
    const Notification n = parse_notification(text);
    CHECK_FALSE((n.ready || n.stopping || n.store || n.store_remove || n.watchdog_ping || n.watchdog_trigger));
    CHECK_FALSE(n.watchdog_usec.has_value());
    CHECK_FALSE(n.extend_timeout_usec.has_value());
  }
  CHECK(parse_notification("FDSTORE=1\nFDNAME=a:b").name == "stored");
  CHECK(parse_notification("FDSTORE=1\nFDNAME=").name == "stored");
  CHECK(parse_notification("FDNAME=" + std::string(255, 'x')).name == std::string(255, 'x'));
  CHECK(parse_notification("FDNAME=" + std::string(256, 'x')).name == "stored");
}

TEST_CASE("descriptor store: the same file under the same name is kept once") {
  FdStore store(10);
  Fd a = memory();
  auto again = a.duplicate();
  auto other_name = a.duplicate();
  REQUIRE((again.ok() && other_name.ok()));
  CHECK(store.store("a", std::move(a)) == FdStore::Stored::stored);
  CHECK(store.store("a", std::move(*again)) == FdStore::Stored::already_there);
  CHECK(store.store("a", memory()) == FdStore::Stored::stored);
  CHECK(store.store("b", std::move(*other_name)) == FdStore::Stored::stored);
  CHECK(store.size() == 3);
  CHECK(store.list().names == "a:a:b");
  CHECK(store.list().fds.size() == 3);
  store.remove("a");
  CHECK(store.list().names == "b");
  store.remove("nothing");
  store.remove(store.list().fds[0]);
  CHECK(store.size() == 0);
  CHECK(store.list().names.empty());
}

TEST_CASE("descriptor store: full is full, and what is removed is closed") {
  FdStore store(2);
  Fd kept = memory();
  const int number = kept.get();
  CHECK(store.store("a", std::move(kept)) == FdStore::Stored::stored);
  CHECK(store.store("b", memory()) == FdStore::Stored::stored);
  CHECK(store.store("c", memory()) == FdStore::Stored::full);
  store.remove("a");
  CHECK(::fcntl(number, F_GETFD) == -1);
  CHECK(store.store("c", memory()) == FdStore::Stored::stored);
}
