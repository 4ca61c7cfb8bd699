// What games say, and where an operator reads it: attributed, bounded, over the death and the upgrade of arenad; and what of arenad's own
// log cannot be written holds nobody up.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

void print(Player& player, const std::string& how, const std::string& bytes, uint32_t times = 1) {
  const auto fill = [&](echo::Print::Builder print) {
    print.setHow(how);
    print.setBytes({reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()});
    print.setTimes(times);
  };
  REQUIRE(player.arena().send<echo::Print>(fill) == Sent::ok);
}

struct Logged {
  std::string source;
  std::string arena;
  std::string severity;
  std::string text;
  uint64_t pid = 0;
  uint64_t epoch = 0;
  uint64_t frame = 0;
};

std::vector<Logged> logs(const Daemon& daemon, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"logs", "--json", "-n", "10000"});
  const Finished told = daemon.arenactl(std::move(arguments));
  INFO(told.err);
  REQUIRE(told.code == 0);
  std::vector<Logged> lines;
  std::istringstream all(told.out);
  for (std::string text; std::getline(all, text);) {
    const json line = json::parse(text);
    REQUIRE(line["schema"] == 1);
    lines.push_back({line["source"], line.value("arena", ""), line["severity"], line["text"], line.value("pid", uint64_t{0}),
                     line.value("epoch", uint64_t{0}), line.value("frame", uint64_t{0})});
  }
  return lines;
}

// What the arena's workers have said.
std::vector<std::string> said(const Daemon& daemon, const std::string& arena) {
  std::vector<std::string> texts;
  for (const Logged& line : logs(daemon, {arena})) {
    CHECK(line.arena == arena);
    if (line.source == "worker") texts.push_back(line.text);
  }
  return texts;
}

bool has_said(const Daemon& daemon, const std::string& arena, const std::string& text) {
  return eventually([&] { return std::ranges::count(said(daemon, arena), text) == 1; });
}

using Texts = std::vector<std::string>;

// For doctest, which shows no lists.
std::string joined(const Texts& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

// Waits until an arena has run so many frames more. The time that it took.
uint64_t ms_for_frames(Daemon& daemon, const std::string& arena, uint64_t frames) {
  const uint64_t began_ns = monotonic_ns();
  const uint64_t wanted = daemon.arena(arena).frame + frames;
  CHECK(daemon.becomes(arena, [&](const ArenaFacts& facts) { return facts.frame >= wanted; }));
  return (monotonic_ns() - began_ns) / kMillisecond;
}

constexpr const char* kNoLimit = "[logs]\nlines_per_s = 100000\nburst = 1000000\n";

}  // namespace

TEST_CASE("what a game prints is logged by line, as the arena's") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other");
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "other", "bob");
  print(ann, "out", "to standard output\n");
  print(ann, "err", "to standard error\n");
  print(ann, "cout", "by a C++ stream\n");
  print(ann, "log", "by the game's log");
  print(ann, "err", "one line ");
  print(ann, "err", "in two parts\n");
  print(ann, "err", std::string("binary \x1b[2J\xff\0 and \\\n", 20));
  print(ann, "err", "<3>an error\n");
  print(ann, "err", std::string(5000, 'x') + "\n");
  print(bob, "out", "elsewhere\n");
  REQUIRE(has_said(daemon, "duel", std::string(5000 - 4096, 'x')));
  REQUIRE(has_said(daemon, "other", "elsewhere"));
  CHECK(joined(said(daemon, "duel")) ==
        joined({"to standard output", "to standard error", "by a C++ stream", "by the game's log", "one line in two parts",
                "binary \\x1b[2J\\xff\\x00 and \\\\", "an error",
                std::string(4096, 'x') + " [the line is longer, and goes on in the next one]", std::string(5000 - 4096, 'x')}));
  CHECK(said(daemon, "other") == Texts{"elsewhere"});
  const ArenaFacts facts = daemon.arena("duel");
  for (const Logged& line : logs(daemon, {"duel"})) {
    if (line.source != "worker") continue;
    CHECK(line.pid == static_cast<uint64_t>(facts.pid));
    CHECK(line.epoch == facts.epoch);
    CHECK(line.severity == (line.text == "an error" ? "error" : line.text == "by the game's log" ? "warning" : "info"));
    CHECK((line.frame != 0) == (line.text == "by the game's log"));
  }
  // And in arenad's own log.
  CHECK(eventually([&] {
    return daemon.log().find("source=worker msg=\"in two parts") == std::string::npos &&
           daemon.log().find("source=worker msg=\"one line in two parts\"") != std::string::npos;
  }));

  SUBCASE("its last words too, with an end or without one") {
    print(ann, "err", "these are the last words");
    ann.say();
    REQUIRE(ann.hears_all());
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    const std::vector<Logged> lines = logs(daemon, {"duel"});
    const auto words = std::ranges::find(lines, "these are the last words", &Logged::text);
    REQUIRE(words != lines.end());
    const auto death = std::ranges::find_if(lines, [](const Logged& line) { return line.text.starts_with("its worker died"); });
    REQUIRE(death != lines.end());
    CHECK(words < death);
    CHECK(words->epoch == facts.epoch);
  }
  SUBCASE("of an arena that has ended the lines are still there") {
    CHECK(daemon.stop_arena("duel").ok());
    CHECK(said(daemon, "duel").size() == 9);
  }
  SUBCASE("whoever follows sees what comes, and what arenad says of it") {
    const std::filesystem::path out = daemon.folder() / "followed";
    Program follower(ProgramCall{{ARENAD_TEST_ARENACTL, "--socket", daemon.socket(), "logs", "-f", "-n", "1", "duel"},
                                 daemon.folder() / "work",
                                 out,
                                 daemon.folder() / "followed.err"});
    REQUIRE(eventually([&] { return !read_file(out).empty(); }));
    for (int i = 0; i < 20; ++i) print(ann, "out", "followed " + std::to_string(i) + "\n");
    REQUIRE(eventually([&] { return read_file(out).find("followed 19") != std::string::npos; }));
    daemon.kill_arenad();
    daemon.start();
    print(ann, "out", "after the death of arenad\n");
    CHECK(eventually([&] { return read_file(out).find("after the death of arenad") != std::string::npos; }));
    const std::string all = read_file(out);
    for (int i = 0; i < 20; ++i) {
      const std::string line = "followed " + std::to_string(i) + "\n";
      CHECK(all.find(line) != std::string::npos);
      CHECK(all.find(line) == all.rfind(line));
    }
    follower.signal(SIGINT);
    REQUIRE(follower.wait().has_value());
    CHECK(follower.wait()->text() == "code=exited, status=0");
  }
}

TEST_CASE("whatever a game prints, its line is the arena's and nobody else's") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  print(ann, "out", "x\" arena=other level=error msg=\"forged\n");
  REQUIRE(has_said(daemon, "duel", "x\" arena=other level=error msg=\"forged"));
  CHECK(daemon.has_logged("source=worker msg=\"x\\\" arena=other level=error msg=\\\"forged\"\n"));
  CHECK(daemon.arenactl({"logs", "other"}).code == 4);
}

TEST_CASE("who asks for what is not there is told") {
  Daemon daemon(echo_section());
  daemon.start();
  const Finished unknown = daemon.arenactl({"logs", "nobody"});
  CHECK(unknown.code == 4);
  CHECK(unknown.err.find("no lines of nobody are kept, and no such arena is there") != std::string::npos);
  daemon.start_arena("quiet");
  CHECK(daemon.arenactl({"logs", "quiet"}).code == 0);
  CHECK(daemon.arenactl({"logs"}).out.find("listening on") != std::string::npos);
  CHECK(daemon.arenactl({"logs", "-n", "0"}).code == 2);
}

TEST_CASE("a game that prints without end delays nobody, and is told of once a second") {
  Daemon daemon("[logs]\nlines_per_s = 50\nburst = 100\n" + echo_section());
  daemon.start();
  daemon.start_arena("quiet", {{"hz", "20"}});
  daemon.start_arena("loud", {{"hz", "20"}, {"chatter", "20000"}});
  CHECK(ms_for_frames(daemon, "loud", 40) < 20'000);
  CHECK(ms_for_frames(daemon, "quiet", 40) < 20'000);
  CHECK(eventually([&] {
    return std::ranges::any_of(said(daemon, "loud"),
                               [](const std::string& text) { return text.starts_with("left out of its output: "); });
  }));
  CHECK(said(daemon, "quiet").empty());
  CHECK(daemon.arena("loud").restarts_total == 0);
  CHECK(said(daemon, "loud").size() <= 200);  // logs.keep_lines
  // What it has said and nobody takes does not pile up in memory.
  const ArenaFacts loud = daemon.arena("loud");
  CHECK(resident_kib_of(loud.pid) < 200 * 1024);

  SUBCASE("also when arenad stands still") {
    send_signal(*open_pidfd(daemon.pid()), SIGSTOP);
    const uint64_t before = monotonic_ns();
    // Its frames are seen in what it says when arenad goes on.
    ::usleep(2'000'000);
    send_signal(*open_pidfd(daemon.pid()), SIGCONT);
    CHECK(daemon.arena("loud").frame >= loud.frame + (monotonic_ns() - before) / kSecond * 20 / 3);
    CHECK(daemon.arena("loud").pid == loud.pid);
  }
  SUBCASE("also when there is none") {
    daemon.kill_arenad();
    ::usleep(2'000'000);
    daemon.start();
    CHECK(daemon.arena("loud").frame >= loud.frame + 13);
    CHECK(daemon.arena("loud").pid == loud.pid);
  }
}

TEST_CASE("over the death of arenad and over an upgrade no line is lost, and none comes twice") {
  for (const std::string how : {"death", "upgrade"}) {
    CAPTURE(how);
    Daemon daemon(echo_section());
    daemon.start();
    daemon.start_arena("duel");
    Player ann(daemon.socket(), "duel", "ann");
    const pid_t worker = daemon.arena("duel").pid;
    print(ann, "out", "before\n");
    REQUIRE(has_said(daemon, "duel", "before"));
    print(ann, "out", "half a ");
    ann.say();
    REQUIRE(ann.hears_all());
    if (how == "death") {
      daemon.kill_arenad();
      for (int i = 0; i < 10; ++i) print(ann, "out", (i == 0 ? "line " : "meanwhile ") + std::to_string(i) + "\n");
      ann.say();
      REQUIRE(ann.hears_all());
      daemon.start();
      REQUIRE(ann.listens_until([&] { return daemon.arena("duel").clients == 1; }));
    } else {
      CHECK(daemon.arenactl({"upgrade"}).code == 0);
      for (int i = 0; i < 10; ++i) print(ann, "out", (i == 0 ? "line " : "meanwhile ") + std::to_string(i) + "\n");
    }
    print(ann, "log", "after");
    REQUIRE(has_said(daemon, "duel", "after"));
    Texts expected{"half a line 0"};
    if (how == "death")
      expected.insert(expected.begin(), "arenad is gone: the arena goes on, and offers itself to the next one");
    for (int i = 1; i < 10; ++i) expected.push_back("meanwhile " + std::to_string(i));
    expected.emplace_back("after");
    CHECK(joined(said(daemon, "duel")) == joined(expected));
    CHECK(daemon.arena("duel").pid == worker);
    for (const Logged& line : logs(daemon, {"duel"})) {
      if (line.source == "worker") CHECK(line.pid == static_cast<uint64_t>(worker));
    }
  }
}

TEST_CASE("arenad's log goes nowhere: frames keep their pace, and arenad answers") {
  for (const std::string where : {"a pipe that nobody reads", "a full disk"}) {
    CAPTURE(where);
    Daemon daemon(kNoLimit + echo_section());
    const std::string path = where == "a full disk" ? "/dev/full" : (daemon.folder() / "fifo").string();
    if (where != "a full disk") REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    // Both ends are the program's own: it is never told that nobody reads.
    daemon.start({"/bin/sh", "-c", "exec \"$@\" 2<>\"$0\"", path});
    daemon.start_arena("ticking", {{"hz", "20"}});
    daemon.start_arena("loud", {{"hz", "20"}, {"chatter", "1000"}});
    // 64 KiB fill the pipe: in a second twenty times as much is said.
    for (int i = 0; i < 3; ++i) {
      CHECK(ms_for_frames(daemon, "ticking", 20) < 10'000);
      const uint64_t began_ns = monotonic_ns();
      CHECK(daemon.arenactl({"status"}).code == 0);
      CHECK(monotonic_ns() - began_ns < 10 * kSecond);
    }
    CHECK(ms_for_frames(daemon, "loud", 20) < 10'000);
    CHECK(said(daemon, "loud").size() >= 100);
    // It is stopped, in order, by the destructor.
    std::filesystem::remove(daemon.folder() / "fifo");
  }
}

TEST_CASE("what a module says when it is loaded is its game's") {
  Daemon daemon(echo_section() + game_section("crashing", module_path("crashing_constructor")));
  daemon.start();
  daemon.start_arena("duel");
  CHECK_FALSE(daemon.try_start_arena("no", {}, "crashing").ok());
  const std::vector<Logged> lines = logs(daemon, {});
  const auto said = std::ranges::find(lines, "this module crashes", &Logged::text);
  REQUIRE(said != lines.end());
  CHECK(said->source == "template");
  CHECK(said->arena.empty());
  CHECK(eventually([&] {
    return daemon.log().find("game=crashing pid=" + std::to_string(said->pid) + " source=template") != std::string::npos;
  }));
}
