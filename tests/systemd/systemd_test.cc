// arenad as the service that its unit makes of it, under a real systemd (systemd_test.sh boots one): what happens to matches when the
// service is reloaded, restarted, upgraded, killed, stopped and starved.
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include <doctest/doctest.h>

#include "ipc/landlock.h"
#include "tests/real/reports.h"
#include "tests/systemd/match.h"
#include "tests/systemd/service.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

// Checkpoints that come too late to help: what comes back was kept in memory.
constexpr const char* kNoCheckpoints = "[checkpoint]\ninterval_ms = 600000\n";

}  // namespace

TEST_CASE("the unit: systemd finds nothing to complain about, and nothing to attack") {
  Service service;
  const Finished verified = service.try_to("systemd-analyze verify arenad.service");
  CHECK(verified.code == 0);
  CHECK(verified.out == "");
  CHECK(verified.err == "");
  CHECK(service.try_to("systemd-analyze security --threshold=10 arenad.service").code == 0);  // tenths
  CHECK(service.try_to("systemd-analyze security --threshold=1 arenad.service").code != 0);
}

TEST_CASE("start: it is active when it answers, and says what it does") {
  Service service;
  CHECK(service.property("ActiveState") == "active");
  CHECK(service.says_status("1 arena: 1 running"));
  CHECK(service.errors() == "");
  CHECK(service.run("ps -o user= -p " + std::to_string(service.arena().pid)) == "arenad\n");
  // Who is in the group may ask; who is not does not reach the socket.
  CHECK(service.try_to("setpriv --reuid=nobody --regid=arenad --clear-groups arenactl status duel").code == 0);
  CHECK(service.try_to("setpriv --reuid=nobody --regid=nogroup --clear-groups arenactl status duel").code == 7);
  Match match;
  match.play(200);
  // Memory, process and client of the arena.
  CHECK(service.number("NFileDescriptorStore") == 3);
  (void)match.is_whole();
}

TEST_CASE("the control socket can be another group's, which then needs no other right to reach it") {
  // In the unit arenad may give its socket to groups that it is a member of.
  Service service("SupplementaryGroups=games\nRuntimeDirectoryMode=0751",
                  "[access]\nsocket_group = \"games\"\nread_groups = [\"games\"]\n");
  CHECK(service.run("stat -c '%G %a' /run/arenad/arenad.sock") == "games 660\n");
  CHECK(service.try_to("setpriv --reuid=nobody --regid=games --clear-groups arenactl status duel").code == 0);
  CHECK(service.try_to("setpriv --reuid=nobody --regid=arenad --clear-groups arenactl status duel").code == 7);
  CHECK(service.errors() == "");
}

TEST_CASE("metrics: at a socket for the group, and with arenad-metrics.socket at a port of the machine") {
  Service service;
  const Finished verified = service.try_to("systemd-analyze verify arenad-metrics.socket arenad-metrics.service");
  CHECK(verified.code == 0);
  CHECK(verified.out + verified.err == "");
  CHECK(service.try_to("systemd-analyze security --threshold=10 arenad-metrics.service").code == 0);  // tenths
  CHECK(service.run("stat -c '%U %G %a' /run/arenad/metrics.sock") == "arenad arenad 660\n");
  const std::string by_socket = "curl -sf --unix-socket /run/arenad/metrics.sock http://localhost/metrics";
  CHECK(service.run(by_socket).find("arenad_arenas{game=\"echo\",state=\"running\"} 1\n") != std::string::npos);
  CHECK(service.try_to("setpriv --reuid=nobody --regid=arenad --clear-groups " + by_socket).code == 0);
  CHECK(service.try_to("setpriv --reuid=nobody --regid=nogroup --clear-groups " + by_socket).code == 7);

  CHECK(service.run("systemctl is-enabled arenad-metrics.socket || true") == "disabled\n");
  const std::string by_port = "curl -sf http://127.0.0.1:9464/metrics";
  CHECK(service.try_to(by_port).code == 7);
  (void)service.run("systemctl start arenad-metrics.socket");
  CHECK(service.run(by_port).find("arenad_build_info") != std::string::npos);
  CHECK(service.run("ps -o user= -p $(systemctl show -p MainPID --value arenad-metrics.service)") != "root\n");
  // The port outlives arenad.
  (void)service.run("systemctl restart arenad");
  CHECK(service.run(by_port).find("arenad_build_info") != std::string::npos);
  CHECK(service.run("systemctl is-active arenad-metrics.service") == "active\n");
  (void)service.run("systemctl stop arenad-metrics.socket arenad-metrics.service");
  CHECK(service.try_to(by_port).code == 7);
}

TEST_CASE("reload: by systemctl, which tells what is wrong, and by SIGHUP") {
  Service service;
  Match match;
  Pace pace(service);
  const pid_t pid = service.main_pid();
  (void)service.run("arenactl start echo --name other");
  Service::configure("[arenas]\nmax_arenas = 2\n");
  (void)service.run("systemctl reload arenad");
  CHECK(service.try_to("arenactl start echo --name third").code == 6);
  Service::configure("[arenas]\nmax_arenas = \"many\"\n");
  CHECK(service.try_to("systemctl reload arenad").code != 0);
  CHECK(service.logs("arenas.max_arenas"));
  CHECK(service.property("ActiveState") == "active");
  Service::configure("[arenas]\nmax_arenas = 3\n");
  (void)service.run("systemctl kill -s HUP --kill-who=main arenad");
  CHECK(match.plays_until([&] { return service.try_to("arenactl start echo --name third").code == 0; }));
  CHECK(service.main_pid() == pid);
  CHECK(service.property("ActiveState") == "active");
  pace.is_kept();
  (void)match.is_whole();
}

TEST_CASE("restart, stop and start: every arena is saved, nothing is left running, and all goes on") {
  Service service("", kNoCheckpoints);
  uint64_t said = 0;
  {
    Match match;
    match.play(200);
    said = match.is_whole();
  }
  (void)service.run("systemctl restart arenad");
  CHECK(service.property("NRestarts") == "0");
  {
    Match match(said);
    match.play(200);
    said = match.is_whole();
  }
  (void)service.run("systemctl stop arenad");
  CHECK(service.property("Result") == "success");
  CHECK(service.property("ActiveState") == "inactive");
  CHECK(service.property("NFileDescriptorStore") == "0");
  CHECK(service.try_to("pgrep -u arenad").out == "");
  (void)service.run("systemctl start arenad");
  Match match(said);
  match.play(200);
  CHECK(match.is_whole() > said);
}

TEST_CASE("SIGKILL of arenad: arenas do not miss a frame") {
  Service service;
  Match match;
  match.play(200);
  const uint64_t kept = service.number("NFileDescriptorStore");
  for (uint64_t round = 1; round <= 3; ++round) {
    Pace pace(service);
    const pid_t pid = service.main_pid();
    (void)service.run("systemctl kill -s KILL --kill-who=main arenad");
    CHECK(match.plays_until([&] { return service.is_back_after(pid); }));
    CHECK(service.number("NRestarts") == round);
    pace.is_kept();
    CHECK(service.number("NFileDescriptorStore") == kept);
  }
  CHECK(match.longest_silence_ms() < kLongestSilenceMs);
  CHECK(service.says_status("1 arena: 1 running"));
  (void)match.is_whole();
}

TEST_CASE("an arenad that hangs is ended by the watchdog, and the next one adopts") {
  Service service;
  Match match;
  Pace pace(service);
  const pid_t pid = service.main_pid();
  const uint64_t began_ns = monotonic_ns();
  (void)service.run("kill -STOP " + std::to_string(pid));
  CHECK(match.plays_until([&] { return service.is_back_after(pid); }));
  const uint64_t took_ms = (monotonic_ns() - began_ns) / kMillisecond;
  CHECK(took_ms > 2000);
  CHECK(took_ms < 15'000);
  CHECK(service.logs("Watchdog timeout (limit 5s)"));
  CHECK(service.number("NRestarts") == 1);
  pace.is_kept();
  CHECK(match.longest_silence_ms() < kLongestSilenceMs);
  (void)match.is_whole();
}

TEST_CASE("everything in the cgroup killed at once: what systemd keeps brings every arena back") {
  Service service("", kNoCheckpoints);
  Match match;
  for (uint64_t round = 1; round <= 2; ++round) {
    match.play(200);
    const pid_t pid = service.main_pid();
    (void)service.run("systemctl kill -s KILL --kill-who=all arenad");
    CHECK(service.is_back_after(pid));
    match.play(200);
    CHECK(service.arena().epoch == 1 + round);
  }
  CHECK(service.number("NFileDescriptorStore") == 3);
  (void)match.is_whole();
}

TEST_CASE("upgrade under the unit: the same process, a watchdog that is fed, and what is kept keeps its names") {
  Service service("WatchdogSec=3", kNoCheckpoints);
  Match match;
  match.play(100);
  Pace pace(service);
  const pid_t pid = service.main_pid();
  (void)service.run("arenactl upgrade");
  (void)service.run("arenactl start echo --name other");
  CHECK(service.says_status("2 arenas: 2 running"));
  match.play(7500);
  CHECK(service.main_pid() == pid);
  CHECK(service.number("NRestarts") == 0);
  CHECK(service.number("NFileDescriptorStore") == 5);
  pace.is_kept();
  (void)match.is_whole();
  (void)service.run("systemctl kill -s KILL --kill-who=all arenad");
  CHECK(service.is_back_after(pid));
  match.play(200);
  (void)match.is_whole();
  // The watchdog still bites.
  const pid_t next = service.main_pid();
  (void)service.run("kill -STOP " + std::to_string(next));
  CHECK(service.is_back_after(next));
  (void)match.is_whole();
}

TEST_CASE("tasks: there is room for thousands of arenas, however small the machine") {
  Service service;
  CHECK(service.property("TasksMax") == "16384");
  CHECK(service.property("MemoryMax") == "infinity");
  Match match;
  (void)match.is_whole();
}

TEST_CASE("memory: the kernel ends the arena that takes all, and nothing else") {
  // Memory may take long to be filled: that is no hang.
  Service service("MemoryMax=300M\nMemorySwapMax=0", "[restart]\nfirst_delay_ms = 0\n[hang]\nhard_limit_ms = 0\n");
  (void)service.run("arenactl start echo --name other");
  Player bob(kControlSocket, "other", "bob");
  Match match;
  Pace pace(service);
  const pid_t pid = service.main_pid();
  const char* cause = "/run/arenad/cause";
  write_file(cause, "");
  (void)service.run(std::string("chown arenad ") + cause);
  misbehave(bob, {.how = "memory", .while_file = cause, .times = Wish::Times::once});
  CHECK(match.plays_until([&] { return service.arena("other").epoch == 2; }));
  CHECK(match.plays_until([&] { return service.run("arenactl crashes").find("out of memory") != std::string::npos; }));
  CHECK(service.main_pid() == pid);
  CHECK(service.property("ActiveState") == "active");
  pace.is_kept();
  (void)match.is_whole();
}

TEST_CASE("the cage around game code is whole under the unit") {
  Service service("", "[restart]\nfirst_delay_ms = 0\n");
  // The one that is known: workers have no control groups of their own under a unit (docs/the-cage.md).
  if (landlock_abi() >= kLandlockSignalAbi) {
    const std::string log = service.log();
    const size_t gap = log.find("has a gap");
    CHECK(log.find("control group", gap) < log.find('\n', gap));
    CHECK(log.find("has a gap", gap + 1) == std::string::npos);
  }
  const auto value_of = [&](pid_t pid, const std::string& name) {
    return std::stoi(service.run("sed -n 's/^" + name + ":\\s*//p' /proc/" + std::to_string(pid) + "/status"));
  };
  // Two in the template, two of the worker's own, beside those of the unit.
  CHECK(value_of(service.arena().pid, "Seccomp_filters") == value_of(service.main_pid(), "Seccomp_filters") + 4);
  // The files of a process whose memory is closed belong to root.
  CHECK(service.run("stat -c %U /proc/" + std::to_string(service.main_pid()) + "/mem") == "root\n");
  (void)service.run("arenactl start echo --name other");
  Player bob(kControlSocket, "other", "bob");
  Match match;
  Pace pace(service);
  misbehave(bob, {.how = "ptrace", .while_file = "", .ms = static_cast<uint32_t>(service.main_pid())});
  CHECK(match.plays_until([&] { return service.arena("other").epoch == 3; }));
  CHECK(match.plays_until(
      [&] { return service.run("arenactl crashes").find("its cage forbids the system call ptrace") != std::string::npos; }));
  pace.is_kept();
  (void)match.is_whole();
}

TEST_CASE("a start and a stop that take longer than systemd waits get more time while arenad knows why") {
  Service service("TimeoutStartSec=3\nTimeoutStopSec=3",
                  "[arenas]\nadoption_timeout_ms = 6000\nstop_timeout_ms = 6000\n[hang]\nhard_limit_ms = 0\n");
  {
    Match match;
    match.play(100);
    (void)match.is_whole();
  }
  const pid_t pid = service.main_pid();
  const auto stop_worker = [&] { (void)service.run("kill -STOP " + std::to_string(service.arena().pid)); };
  stop_worker();
  (void)service.run("systemctl kill -s KILL --kill-who=main arenad");
  CHECK(eventually([&] { return service.property("StatusText") == "Adopting: 0 of 1 arenas are taken up"; }));
  CHECK(service.is_back_after(pid));
  CHECK(service.number("NRestarts") == 1);
  CHECK(service.arena().epoch == 2);
  stop_worker();
  (void)service.run("systemctl stop arenad");
  CHECK(service.property("Result") == "success");
  CHECK(service.try_to("pgrep -u arenad").out == "");
}

TEST_CASE("a stop for which arenad must be killed leaves its arenas to the next one") {
  // A signal that does nothing: one that hears nothing.
  Service service("TimeoutStopSec=1\nKillSignal=SIGCONT");
  Match match;
  Pace pace(service);
  (void)service.run("systemctl stop arenad");
  CHECK(service.property("Result") == "timeout");
  (void)service.run("systemctl start arenad");
  match.play(200);
  pace.is_kept();
  (void)match.is_whole();
}

TEST_CASE("a wrong configuration: it is tried again, with pauses, until it is right; arenas go on") {
  Service service;
  Match match;
  Pace pace(service);
  const pid_t pid = service.main_pid();
  Service::configure("[daemon]\nno_such_key = 1\n");
  (void)service.run("systemctl kill -s KILL --kill-who=main arenad");
  const auto has_restarted = [&](uint64_t times) {
    return match.plays_until([&] { return service.number("NRestarts") >= times; });
  };
  CHECK(has_restarted(2));
  const uint64_t began_ns = monotonic_ns();
  CHECK(has_restarted(4));
  CHECK(monotonic_ns() - began_ns > 1500 * kMillisecond);
  CHECK(service.logs("daemon.no_such_key"));
  Service::configure("");
  CHECK(match.plays_until([&] { return service.is_back_after(pid); }));
  pace.is_kept();
  (void)match.is_whole();
}

TEST_CASE("the journal: an arena's lines are found by its name, with what they are about") {
  const uint64_t began_us = unix_ns() / 1000;
  Service service;
  const auto find = [&](const std::string& field, const std::string& text) {
    json found;
    CHECK(eventually([&] {
      std::istringstream entries(service.entries(field));
      for (std::string line; std::getline(entries, line);) {
        const json entry = json::parse(line);
        const bool is_of_this_time = std::stoull(entry["__REALTIME_TIMESTAMP"].get<std::string>()) >= began_us;
        const bool is_text = is_of_this_time && entry["MESSAGE"].is_string();
        if (is_text && entry["MESSAGE"].get<std::string>().find(text) != std::string::npos) found = entry;
      }
      return !found.is_null();
    }));
    return found;
  };
  const Service::Arena before = service.arena();
  {
    Player ann(kControlSocket, "duel", "ann");
    for (const auto& [how, text] : {std::pair("out", "printed\n"), std::pair("log", "logged")}) {
      const auto fill = [how = how, text = std::string(text)](echo::Print::Builder print) {
        print.setHow(how);
        print.setBytes({reinterpret_cast<const capnp::byte*>(text.data()), text.size()});
        print.setTimes(1);
      };
      REQUIRE(ann.arena().send<echo::Print>(fill) == Sent::ok);
    }
    const json printed = find("ARENA=duel SOURCE=worker", "printed");
    REQUIRE_FALSE(printed.is_null());
    CHECK(printed["MESSAGE"] == "duel: printed");
    CHECK(printed["GAME"] == "echo");
    CHECK(printed["EPOCH"] == "1");
    CHECK(printed["PRIORITY"] == "6");
    CHECK(printed["OBJECT_PID"] == std::to_string(before.pid));
    CHECK(printed["SYSLOG_IDENTIFIER"] == "arenad");
    CHECK(printed["_PID"] == std::to_string(service.main_pid()));
    const json logged = find("ARENA=duel SOURCE=worker", "logged");
    REQUIRE_FALSE(logged.is_null());
    CHECK(logged["PRIORITY"] == "4");
    CHECK(std::stoull(logged["FRAME"].get<std::string>()) > 0);
  }
  (void)service.run("kill -SEGV " + std::to_string(before.pid));
  const json died = find("ARENA=duel", "its worker died");
  REQUIRE_FALSE(died.is_null());
  CHECK(died["PRIORITY"] == "4");
  CHECK(died["SIGNATURE"].get<std::string>().starts_with("SIGSEGV"));
  (void)find("ARENA=duel EPOCH=2", "recovered in");
  // An arenad that was killed has a successor which finds the journal as well.
  const pid_t pid = service.main_pid();
  (void)service.run("systemctl kill -s KILL --kill-who=main arenad");
  REQUIRE(eventually([&] { return service.is_back_after(pid); }));
  (void)find("ARENA=duel", "adopted");
  CHECK(service.run("arenactl logs duel").find("adopted") != std::string::npos);
}
