// The metrics of a real arenad, over the deaths of its workers and its own, and what may be done to the place where they are had.
#include <csignal>
#include <filesystem>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "ipc/socket.h"
#include "tests/real/player.h"
#include "tests/real/reports.h"
#include "tests/real/scrape.h"

using namespace arenad;
using namespace arenad::test;

namespace {

const std::string kFrames = "arenad_arena_frames_total{game=\"echo\",arena=\"duel\"}";
const std::string kEvents = "arenad_arena_events_total{game=\"echo\",arena=\"duel\"}";
const std::string kDeaths = "arenad_worker_deaths_total{game=\"echo\",kind=\"killed\"}";
const std::string kGameEvents = "arenad_events_total{game=\"echo\"}";

std::string metrics_section(const std::string& listen, const std::string& more = "") {
  return "[metrics]\nlisten = \"" + listen + "\"\n" + more;
}

void reconfigure(Daemon& daemon, const std::string& sections) {
  daemon.reconfigure(sections);
  const Finished told = daemon.arenactl({"reload-config"});
  INFO(told.err);
  REQUIRE(told.code == 0);
}

// A text is served for a moment after it was made: this one is of when, or after, the series has come to the value.
Scrape scrape_when(const Daemon& daemon, const std::string& series, double value) {
  CAPTURE(series);
  std::optional<Scrape> scrape;
  const bool came = eventually([&] {
    scrape.emplace(daemon);
    return (*scrape)[series] == value;
  });
  CHECK_MESSAGE(came, "it is " << (*scrape)[series] << ", and was to become " << value);
  return *scrape;
}

// Those of `before` that are less in `now`, or not there any more.
std::vector<std::string> gone_back(const Scrape& before, const Scrape& now) {
  std::vector<std::string> found;
  for (const auto& [series, value] : before.series()) {
    if (before.is_counter(series) && now[series] < value) found.push_back(series);
  }
  return found;
}

// Where metrics are, as many times as asked: connections that say nothing.
class IdleConnections {
 public:
  IdleConnections(const Daemon& daemon, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto connection = connect_unix((daemon.folder() / "run/metrics.sock").string());
      REQUIRE(connection);
      connections_.push_back(std::move(*connection));
    }
  }
  std::vector<Fd>& all() { return connections_; }

 private:
  std::vector<Fd> connections_;
};

}  // namespace

TEST_CASE("what an arena does is counted, and no counter goes back over crashes, a stop and a start") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "60"}});
  Player ann(daemon.socket(), "duel", "ann");
  for (int i = 0; i < 50; ++i) ann.say();
  REQUIRE(ann.hears_all());
  const Scrape first(daemon);
  CHECK(first[kEvents] == 50);
  CHECK(first[kGameEvents] == 50);
  CHECK(first["arenad_arena_outputs_total{game=\"echo\",arena=\"duel\"}"] >= 50);
  CHECK(first[kFrames] > 0);
  CHECK(first["arenad_arena_frame_seconds_count{game=\"echo\",arena=\"duel\"}"] > 0);
  CHECK(first["arenad_tick_lateness_seconds_count{game=\"echo\"}"] > 0);
  CHECK(first["arenad_arenas{game=\"echo\",state=\"running\"}"] == 1);
  CHECK(first["arenad_players{game=\"echo\"}"] == 1);
  CHECK(first["arenad_arena_resident_memory_bytes{game=\"echo\",arena=\"duel\"}"] > 1'000'000);
  CHECK(first["arenad_arena_cpu_seconds_total{game=\"echo\",arena=\"duel\"}"] > 0);
  CHECK(first["arenad_cpu_seconds_total{game=\"echo\"}"] >=
        first["arenad_arena_cpu_seconds_total{game=\"echo\",arena=\"duel\"}"]);
  CHECK(first["arenad_control_requests_total{verb=\"start\",result=\"done\"}"] == 1);
  CHECK(first["arenad_worker_deaths_total{game=\"echo\",kind=\"killed\"}"] == 0);

  for (int round = 0; round < 3; ++round) {
    const Scrape before(daemon);
    for (int i = 0; i < 10; ++i) ann.say();
    const uint64_t epoch = daemon.kill_worker("duel");
    REQUIRE(daemon.runs_again("duel", epoch));
    REQUIRE(ann.hears_all());
    const Scrape after = scrape_when(daemon, kDeaths, round + 1);
    CHECK(gone_back(before, after) == std::vector<std::string>{});
  }
  const Scrape second = scrape_when(daemon, kEvents, 80);
  CHECK(second[kEvents] == 80);
  CHECK(second["arenad_worker_deaths_total{game=\"echo\",kind=\"killed\"}"] == 3);
  CHECK(second["arenad_crashes_total{game=\"echo\",signature=\"SIGKILL\"}"] == 3);
  CHECK(second["arenad_arena_worker_deaths_total{game=\"echo\",arena=\"duel\"}"] == 3);
  double recoveries = 0;
  for (const char* rung : {"init", "newest_slot", "older_slot", "checkpoint"}) {
    recoveries += second["arenad_recoveries_total{game=\"echo\",rung=\"" + std::string(rung) + "\"}"];
  }
  CHECK(recoveries == 3);
  CHECK(second["arenad_recovery_seconds_count{game=\"echo\"}"] == 3);

  // Stopped, its series go, and the game's sums stay.
  ann.leave();
  REQUIRE(daemon.stop_arena("duel"));
  const Scrape stopped = scrape_when(daemon, "arenad_arenas{game=\"echo\",state=\"stopped\"}", 1);
  CHECK(stopped[kEvents] == -1);
  CHECK(stopped[kGameEvents] == 80);
  CHECK(stopped["arenad_arenas{game=\"echo\",state=\"stopped\"}"] == 1);
  REQUIRE(daemon.restart("duel"));
  Player bob(daemon.socket(), "duel", "bob");
  bob.say();
  REQUIRE(bob.hears_all());
  CHECK(scrape_when(daemon, kGameEvents, 81)[kEvents] == 81);
}

TEST_CASE("the next arenad counts from 0, and only what comes under it; so does the next program") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  for (int i = 0; i < 20; ++i) ann.say();
  REQUIRE(ann.hears_all());
  (void)scrape_when(daemon, kEvents, 20);

  daemon.kill_arenad();
  daemon.start();
  for (int i = 0; i < 5; ++i) ann.say();
  REQUIRE(ann.hears_all());
  const Scrape adopted = scrape_when(daemon, kEvents, 5);
  CHECK(adopted["arenad_adopted_arenas_total"] == 1);

  const pid_t pid = daemon.pid();
  const Finished upgraded = daemon.arenactl({"upgrade"});
  INFO(upgraded.err);
  REQUIRE(upgraded.code == 0);
  CHECK(daemon.pid() == pid);
  for (int i = 0; i < 7; ++i) ann.say();
  REQUIRE(ann.hears_all());
  (void)scrape_when(daemon, kEvents, 7);
}

TEST_CASE("a bound for arenas with series: the others are in the game's sums, and counted") {
  Daemon daemon(metrics_section("unix:metrics.sock", "max_arenas_with_series = 2\n") + echo_section());
  daemon.start();
  for (const char* name : {"a", "b", "c", "d", "e"}) daemon.start_arena(name);
  Player ann(daemon.socket(), "e", "ann");
  ann.say();
  REQUIRE(ann.hears_all());
  const Scrape scrape(daemon);
  CHECK(scrape["arenad_arena_frames_total{game=\"echo\",arena=\"a\"}"] >= 0);
  CHECK(scrape["arenad_arena_frames_total{game=\"echo\",arena=\"b\"}"] >= 0);
  CHECK(scrape["arenad_arena_frames_total{game=\"echo\",arena=\"c\"}"] == -1);
  CHECK(scrape["arenad_arenas_without_series{game=\"echo\"}"] == 3);
  CHECK(scrape["arenad_arenas{game=\"echo\",state=\"running\"}"] == 5);
  (void)scrape_when(daemon, kGameEvents, 1);
  reconfigure(daemon, metrics_section("unix:metrics.sock", "max_arenas_with_series = 5\n") + echo_section());
  CHECK(eventually([&] { return Scrape(daemon)["arenad_arenas_without_series{game=\"echo\"}"] == 0; }));
}

TEST_CASE("where they are is changed while arenad runs; what cannot be leaves it as it was") {
  Daemon daemon(echo_section());
  daemon.start();
  const auto socket = daemon.folder() / "run/metrics.sock";
  CHECK(std::filesystem::is_socket(socket));
  const std::string at = "127.0.0.1:" + std::to_string(free_port());
  const std::vector<std::string> port = {"http://" + at + "/metrics"};
  reconfigure(daemon, metrics_section(at) + echo_section());
  CHECK(Scrape(daemon, port)["arenad_memory_group_limit_bytes"] > 0);
  CHECK_FALSE(std::filesystem::exists(socket));

  SUBCASE("nowhere, and back") {
    reconfigure(daemon, metrics_section("") + echo_section());
    CHECK(curl(daemon, port).code == 7);
    reconfigure(daemon, echo_section());
    CHECK(Scrape(daemon)["arenad_memory_group_limit_bytes"] > 0);
  }
  SUBCASE("the same place in other words") {
    reconfigure(daemon, echo_section());
    reconfigure(daemon, metrics_section("unix:../run/metrics.sock") + echo_section());
    CHECK(std::filesystem::is_socket(socket));
    CHECK(Scrape(daemon)["arenad_memory_group_limit_bytes"] > 0);
  }
  SUBCASE("a port that somebody else has") {
    sockaddr_in mine{};
    mine.sin_family = AF_INET;
    mine.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    mine.sin_port = htons(free_port());
    auto listener = listen_tcp(reinterpret_cast<const sockaddr*>(&mine), sizeof mine);
    REQUIRE(listener);
    const std::string taken = "127.0.0.1:" + std::to_string(ntohs(mine.sin_port));
    reconfigure(daemon, metrics_section(taken) + echo_section());
    CHECK(daemon.has_logged("metrics cannot be had at " + taken));
    CHECK(Scrape(daemon, port)["arenad_memory_group_limit_bytes"] > 0);
  }
  SUBCASE("a file that is no socket is not removed") {
    write_file(daemon.folder() / "run/notes", "mine");
    reconfigure(daemon, metrics_section("unix:notes") + echo_section());
    CHECK(read_file(daemon.folder() / "run/notes") == "mine");
    CHECK(Scrape(daemon, port)["arenad_memory_group_limit_bytes"] > 0);
    std::filesystem::remove(daemon.folder() / "run/notes");
  }
  SUBCASE("an address that others reach is refused with the whole configuration") {
    daemon.reconfigure(metrics_section("0.0.0.0:9464") + echo_section());
    const Finished refused = daemon.arenactl({"reload-config"});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("metrics.listen: expected") != std::string::npos);
    CHECK(Scrape(daemon, port)["arenad_memory_group_limit_bytes"] > 0);
  }
}

TEST_CASE("arenad begins also if metrics cannot be had where they should") {
  Daemon daemon(metrics_section("unix:no/such/folder.sock") + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  CHECK(daemon.arena("duel").state == "running");
  CHECK(daemon.has_logged("metrics cannot be had at unix:no/such/folder.sock"));
}

TEST_CASE("who does not say a word, too many, garbage and the wrong question: nobody else waits for them") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "60"}});
  {
    // All that there are at a time, and as many again.
    IdleConnections idle(daemon, 64);
    const uint64_t began_ns = monotonic_ns();
    CHECK(daemon.arenactl({"status", "duel"}).code == 0);
    CHECK(monotonic_ns() - began_ns < 5 * kSecond);
    // They have their time, and then there is room again.
    CHECK(eventually([&] { return curl(daemon, Scrape::at_socket(daemon)).code == 0; }));
  }
  IdleConnections bad(daemon, 8);
  const std::string garbage(100'000, '\xff');
  for (const Fd& each : bad.all()) ::send(each.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  CHECK(eventually([&] { return Scrape(daemon)["arenad_arenas{game=\"echo\",state=\"running\"}"] == 1; }));

  auto where = Scrape::at_socket(daemon);
  where.emplace_back("--head");
  const Finished head = curl(daemon, where);
  CHECK(head.code == 0);
  CHECK(head.out.find("HTTP/1.1 200 OK") == 0);
  where = Scrape::at_socket(daemon);
  where.insert(where.end(), {"--include", "--data", "x=1"});
  CHECK(curl(daemon, where).out.find("HTTP/1.1 405 ") == 0);
  where = Scrape::at_socket(daemon);
  where[2] = "http://localhost/../../etc/passwd";
  where.emplace_back("--include");
  CHECK(curl(daemon, where).out.find("HTTP/1.1 404 ") == 0);
  CHECK(daemon.arena("duel").state == "running");
}

TEST_CASE("many scrapes at a time get one text, and the loop is held up for few of them") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  IdleConnections many(daemon, 24);
  for (const Fd& each : many.all()) ::send(each.get(), "GET /metrics HTTP/1.1\r\n\r\n", 25, MSG_NOSIGNAL);
  for (const Fd& each : many.all()) {
    std::string answer;
    char bytes[4096];
    for (ssize_t got = 0; (got = ::read(each.get(), bytes, sizeof bytes)) > 0;) answer.append(bytes, static_cast<size_t>(got));
    CHECK(answer.starts_with("HTTP/1.1 200 OK"));
    CHECK(answer.find("arenad_build_info") != std::string::npos);
  }
  // Each tells of those before it.
  double collected = 0;
  CHECK(eventually([&] { return (collected = Scrape(daemon)["arenad_scrape_collect_seconds_count"]) >= 1; }));
  CHECK(collected <= 4);
}

TEST_CASE("at the socket the right to read decides, and its mode and group are those of the control socket") {
  if (::geteuid() != 0 || ::access("/usr/bin/setpriv", X_OK) != 0) return;
  const std::string group = "[access]\nsocket_group = \"64322\"\n";
  Daemon daemon(group + echo_section());
  daemon.start();
  std::filesystem::permissions(daemon.folder().path(), std::filesystem::perms(0711));
  std::filesystem::permissions(daemon.folder() / "run", std::filesystem::perms(0711));
  const std::string socket = (daemon.folder() / "run/metrics.sock").string();
  struct stat facts {};
  REQUIRE(::stat(socket.c_str(), &facts) == 0);
  CHECK(facts.st_gid == 64322);
  CHECK((facts.st_mode & 0777) == 0660);
  const auto as_other = [&](const std::string& gid) {
    return run_to_end({"/usr/bin/setpriv", "--reuid=64321", "--regid=" + gid, "--clear-groups", "/usr/bin/curl", "--silent",
                       "--include", "--unix-socket", socket, "http://localhost/metrics"},
                      daemon.folder());
  };
  CHECK(as_other("64323").code == 7);
  CHECK(as_other("64322").out.find("HTTP/1.1 403 ") == 0);
  reconfigure(daemon, group + "read_users = [\"64321\"]\n" + echo_section());
  CHECK(as_other("64322").out.find("HTTP/1.1 200 ") == 0);
}

TEST_CASE("how often channels are full comes from the clients") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "60"}});
  Player ann(daemon.socket(), AttachOptions{.arena = "duel", .player = "ann", .channel_bytes = limits::kMinChannelBytes});
  ann.say();
  REQUIRE(ann.hears_all());
  const pid_t worker = daemon.arena("duel").pid;
  ::kill(worker, SIGSTOP);
  while (ann.arena().full_count() < 3) (void)ann.try_say();
  ::kill(worker, SIGCONT);
  const std::string series = "arenad_arena_channels_full_total{game=\"echo\",arena=\"duel\"}";
  CHECK(eventually([&] { return Scrape(daemon)[series] == static_cast<double>(ann.arena().full_count()); }));
}

TEST_CASE("poison: deaths have signatures with the place in the game's code, and the quarantine is counted") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  ann.say();
  REQUIRE(ann.hears_all());
  misbehave(ann, {.how = "segv"});
  const Scrape poisoned = scrape_when(daemon, "arenad_quarantined_events{game=\"echo\"}", 1);
  CHECK(poisoned["arenad_quarantined_events_total{game=\"echo\"}"] == 1);
  CHECK(poisoned["arenad_worker_deaths_total{game=\"echo\",kind=\"crash\"}"] == 2);
  // Both deaths are one cause.
  std::vector<std::string> signatures;
  for (const auto& [series, value] : poisoned.series()) {
    if (!series.starts_with("arenad_crashes_total{")) continue;
    signatures.push_back(series);
    CHECK(value == 2);
  }
  REQUIRE(signatures.size() == 1);
  INFO(signatures[0]);
  CHECK(signatures[0].find("signature=\"SIGSEGV ") != std::string::npos);
  CHECK(signatures[0].find(".so+0x") != std::string::npos);
}

TEST_CASE("changes of code: rollouts and handovers by what became of them") {
  Daemon daemon("[hang]\nhard_limit_ms = 500\n" + game_section("ledger", module_path("ledger"), "snapshot_interval_ms = 20\n"));
  daemon.start();
  for (const char* name : {"a", "b"}) daemon.start_arena(name, {{"hz", "60"}}, "ledger");
  const auto reload = [&](const std::string& module) {
    return daemon.arenactl({"reload", "ledger", module_path(module), "--probation", "300ms", "--probation-frames", "10"});
  };
  const auto handovers = [](const char* result) {
    return "arenad_handovers_total{game=\"ledger\",result=\"" + std::string(result) + "\"}";
  };
  const auto rollouts = [](const char* result) {
    return "arenad_rollouts_total{game=\"ledger\",result=\"" + std::string(result) + "\"}";
  };
  const Finished good = reload("ledger_good");
  CHECK_MESSAGE(good.code == 0, good.err);
  const Scrape passed = scrape_when(daemon, rollouts("done"), 1);
  CHECK(passed[handovers("passed")] == 2);
  CHECK(passed[handovers("failed")] == 0);
  CHECK(passed["arenad_rollouts_running{game=\"ledger\"}"] == 0);
  CHECK(reload("ledger_dies_at_once").code != 0);
  const Scrape failed = scrape_when(daemon, rollouts("failed"), 1);
  CHECK(failed[rollouts("done")] == 1);
  CHECK(failed[handovers("passed")] == 2);
  CHECK(failed[handovers("failed")] == 1);
  CHECK(gone_back(passed, failed) == std::vector<std::string>{});
}
