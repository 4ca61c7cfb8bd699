// Hostile game code in its cage: what it tries has no effect on anybody else, it is ended where it must be, and the cause is told.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <sys/resource.h>
#include <vector>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kLimits = "first_delay_ms = 0\nmax_delay_ms = 0\n[hang]\nsoft_limit_ms = 0\nhard_limit_ms = 2000\n";
constexpr const char* kManyDeaths = "[restart]\nintensity = 1000\nwindow_ms = 1000\nhealthy_ms = 1\n";
constexpr const char* kFewDeaths = "[restart]\nintensity = 5\n";

std::string sections(const std::string& more = "", const std::string& deaths = kManyDeaths) {
  return deaths + kLimits + echo_section() + game_section("hostile", module_path("echo"), "memory_mib = 64\n" + more) +
         game_section("neighbour", module_path("ledger"));
}

// An arena with ticks and a player beside the hostile one. Nothing of what happens there may reach it.
class Calm {
 public:
  explicit Calm(Daemon& daemon)
      : daemon_(daemon), id_(daemon.start_arena("calm", {{"hz", "50"}})), player_(daemon.socket(), "calm", "bob") {
    check();
    pid_ = daemon.arena("calm").pid;
    arenad_ = daemon.pid();
    // What the machine itself does to it, before anything else does.
    const uint64_t late_before = daemon.arena("calm").frames_late;
    await_frames(50);
    late_in_50_frames_ = daemon.arena("calm").frames_late - late_before;
    late_ = daemon.arena("calm").frames_late;
    frame_ = daemon.arena("calm").frame;
  }

  void check() {
    for (int i = 0; i < 5; ++i) player_.say();
    CHECK(player_.hears_all());
    CHECK(player_.complaint() == "");
    CHECK(player_.departures().empty());
    CHECK_FALSE(player_.disconnected());
    CHECK(player_.times_rolled_back() == 0);
    CHECK(player_.times_lagged() == 0);
    if (pid_ == 0) return;
    const ArenaFacts facts = daemon_.arena("calm");
    CHECK(facts.pid == pid_);
    CHECK(facts.epoch == 1);
    CHECK(facts.rejected == 0);
    CHECK(daemon_.pid() == arenad_);
    CHECK(player_.ask().applied == player_.said());
  }

  // The measure is the same machine without an attack, with room for what else it does meanwhile.
  void check_late_frames() {
    const ArenaFacts facts = daemon_.arena("calm");
    const uint64_t frames = facts.frame - frame_;
    const uint64_t late = facts.frames_late - late_;
    MESSAGE("late frames of the arena beside: ", late, " of ", frames, "; before, ", late_in_50_frames_, " of 50");
    CHECK(late * 50 <= (late_in_50_frames_ + 5) * frames * 2);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void await_frames(uint64_t count) {
    const uint64_t from = daemon_.arena("calm").frame;
    REQUIRE(daemon_.becomes("calm", [&](const ArenaFacts& facts) { return facts.frame >= from + count; }));
  }

  Daemon& daemon_;
  std::string id_;
  Player player_;
  pid_t pid_ = 0;
  pid_t arenad_ = 0;
  uint64_t late_in_50_frames_ = 0;
  uint64_t late_ = 0;
  uint64_t frame_ = 0;
};

struct Attack {
  std::string how;
  pid_t target = 0;
  std::string path;
  std::string cause;  // of the crash report
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

#ifdef ARENAD_SANITIZED
constexpr bool kIsWhole = false;  // sanitizers need a wider cage
#else
constexpr bool kIsWhole = true;
#endif

TEST_CASE("hostile code is ended at the system call that would harm others, and the call is told" * doctest::skip(!kIsWhole)) {
  Daemon daemon(sections());
  daemon.start();
  Calm calm(daemon);
  const std::string database = (daemon.folder() / "state/arenad.db").string();
  const pid_t arenad = daemon.pid();
  const auto forbidden = [](const std::string& call) { return "signal=SYS, its cage forbids the system call " + call; };
  std::vector<Attack> attacks{
      {"kill-other", arenad, "", forbidden("kill")},
      {"kill-other", calm.pid(), "", forbidden("kill")},
      {"kill-group", 0, "", forbidden("kill")},
      {"kill-all", 0, "", forbidden("kill")},
      {"tgkill", arenad, "", forbidden("tgkill")},
      {"tgkill", calm.pid(), "", forbidden("tgkill")},
      {"tkill", arenad, "", forbidden("tkill")},
      {"sigqueue", arenad, "", forbidden("rt_sigqueueinfo")},
      {"pidfd", arenad, "", forbidden("pidfd_open")},
      {"setown", arenad, "", forbidden("fcntl")},
      {"ptrace", arenad, "", forbidden("ptrace")},
      {"ptrace", calm.pid(), "", forbidden("ptrace")},
      {"vm-read", arenad, "", forbidden("process_vm_readv")},
      {"vm-read", calm.pid(), "", forbidden("process_vm_readv")},
      {"open-to-write", 0, "/proc/" + std::to_string(arenad) + "/mem", forbidden("openat")},
      {"open-to-write", 0, "/proc/" + std::to_string(calm.pid()) + "/mem", forbidden("openat")},
      {"open-to-write", 0, database, forbidden("openat")},
      {"big-file", 0, database, forbidden("openat")},
      {"unlink", 0, database, forbidden("unlink")},
      {"rename", 0, database, forbidden("rename")},
      {"fork", 0, "", forbidden("clone")},
      // The C library has all signals blocked there: it is ended without a word of its own.
      {"thread", 0, "", "signal=SYS, a system call that its cage forbids"},
      {"memory", 0, "", "std::bad_alloc"},
      {"shared-memory", 0, "", forbidden("mmap")},
      {"memfd", 0, "", forbidden("memfd_create")},
      {"code", 0, "", forbidden("mmap")},
      {"execve", 0, "", forbidden("execve")},
      {"network", 0, "", forbidden("socket")},
      {"connect", 0, daemon.socket(), forbidden("socket")},
      {"no-death", 0, "", "signal=SYS, a system call that its cage forbids"},
  };
  // The template that has forked it is a child of arenad too.
  for (const pid_t child : children_of(arenad)) {
    if (name_of(child) == "template") attacks.push_back({"kill-other", child, "", forbidden("kill")});
  }
  CHECK(attacks.back().how == "kill-other");
  int number = 0;
  for (const Attack& attack : attacks) {
    INFO(attack.how, " ", attack.target, " ", attack.path);
    const std::string name = "hostile-" + std::to_string(++number);
    daemon.start_arena(name, {}, "hostile");
    Player eve(daemon.socket(), name, "eve");
    eve.say();
    CHECK(eve.hears_all());
    misbehave(eve, {.how = attack.how, .while_file = attack.path, .ms = static_cast<uint32_t>(attack.target)});
    // It kills twice and is then in quarantine, so that the match goes on without it.
    REQUIRE(daemon.becomes(name, [](const ArenaFacts& facts) { return facts.quarantined == 1 && facts.state == "running"; }));
    const auto deaths = crashes(daemon, name);
    REQUIRE(deaths.size() == 2);
    for (const Report& death : deaths) {
      INFO(death.cause);
      CHECK(holds(death.cause, attack.cause));
      CHECK(death.player == "eve");
    }
    CHECK(holds(daemon.arena(name).last_exit, attack.cause));
    eve.say();
    CHECK(eve.hears_all());
    calm.check();
  }
  CHECK(std::filesystem::exists(database));
  calm.check_late_frames();
}

TEST_CASE("what hostile code may try has no effect" * doctest::skip(!kIsWhole)) {
  Daemon daemon(sections());
  daemon.start();
  Calm calm(daemon);
  daemon.start_arena("hostile", {}, "hostile");
  Player eve(daemon.socket(), "hostile", "eve");
  const pid_t arenad = daemon.pid();
  for (const Attack& attack : {Attack{"read", 0, "/proc/" + std::to_string(arenad) + "/mem", ""},
                               Attack{"read", 0, "/proc/" + std::to_string(calm.pid()) + "/mem", ""},
                               Attack{"read", 0, (daemon.folder() / "state/arenad.db").string(), ""},
                               Attack{"read", 0, daemon.config(), ""}, Attack{"read", 0, "/etc/passwd", ""},
                               Attack{"connect-packets", 0, daemon.socket(), ""}, Attack{"descriptors", 0, "", ""}}) {
    INFO(attack.how, " ", attack.path);
    misbehave(eve, {.how = attack.how, .while_file = attack.path, .ms = static_cast<uint32_t>(attack.target)});
    eve.say();
    CHECK(eve.hears_all());
    CHECK(crashes(daemon, "hostile").empty());
    calm.check();
  }
  CHECK(daemon.arena("hostile").epoch == 1);
  calm.check_late_frames();
}

TEST_CASE("lies in its own memory and nonsense on its link harm the liar alone") {
  // Nonsense is not laid at the door of an event: each successor sends it again, until the arena may not be brought back any more.
  Daemon daemon(sections("", kFewDeaths));
  daemon.start();
  Calm calm(daemon);
  int number = 0;
  for (const std::string how : {"lie-zero", "lie-ones", "lie-random", "nonsense", "flood"}) {
    INFO(how);
    const std::string name = "hostile-" + std::to_string(++number);
    daemon.start_arena(name, {{"hz", "20"}}, "hostile");
    Player eve(daemon.socket(), name, "eve");
    eve.say();
    CHECK(eve.hears_all());
    misbehave(eve, {.how = how});
    // Whatever becomes of it, it ends: on its own, by arenad, or because it is stopped.
    for (int i = 0; i < 20; ++i) calm.check();
    (void)daemon.stop_arena(name);
    CHECK(daemon.becomes(name, [](const ArenaFacts& facts) { return facts.pid == 0; }));
    MESSAGE(how, ": ", daemon.arena(name).state, ", ", daemon.arena(name).last_exit, " ", daemon.arena(name).reason);
    for (const Report& death : crashes(daemon, name)) {
      INFO(death.cause);
      CHECK_FALSE(holds(death.cause, "is not found"));
    }
    calm.check();
  }
  calm.check_late_frames();
}

TEST_CASE("memory in the file of its output is not kept, and ends who tries") {
  Daemon daemon(sections());
  daemon.start();
  Calm calm(daemon);
  daemon.start_arena("hostile", {}, "hostile");
  Player eve(daemon.socket(), "hostile", "eve");
  eve.say();
  CHECK(eve.hears_all());
  misbehave(eve, {.how = "output"});
  REQUIRE(eventually([&] { return !crashes(daemon, "hostile").empty(); }));
  const auto deaths = crashes(daemon, "hostile");
  CHECK(holds(deaths.back().cause, "it keeps memory in the file of its output"));
  calm.check();
}

TEST_CASE("the limits of a worker's resources are those of the cage" * doctest::skip(!kIsWhole)) {
  Daemon daemon(sections());
  daemon.start();
  daemon.start_arena("hostile", {}, "hostile");
  const std::string limits = read_file("/proc/" + std::to_string(daemon.arena("hostile").pid) + "/limits");
  INFO(limits);
  struct Expected {
    std::string name;
    rlim_t value;
    __rlimit_resource resource;
  };
  for (const Expected& expected :
       {Expected{"Max core file size", 0, RLIMIT_CORE}, Expected{"Max open files", 1024, RLIMIT_NOFILE},
        Expected{"Max locked memory", 0, RLIMIT_MEMLOCK}, Expected{"Max stack size", rlim_t{8} << 20, RLIMIT_STACK},
        Expected{"Max data size", rlim_t{64} << 20, RLIMIT_DATA}, Expected{"Max processes", 0, RLIMIT_NPROC}}) {
    INFO(expected.name);
    // They only ever lower what the test itself was started with.
    rlimit own{};
    REQUIRE(::getrlimit(expected.resource, &own) == 0);
    const auto at = limits.find(expected.name);
    REQUIRE(at != std::string::npos);
    std::istringstream values(limits.substr(at + expected.name.size()));
    rlim_t soft = 1;
    rlim_t hard = 1;
    values >> soft >> hard;
    REQUIRE_FALSE(values.fail());
    CHECK(soft <= expected.value);
    CHECK(hard == std::min(own.rlim_max, expected.value));
  }
}

TEST_CASE("a cage that only logs lets everything through, and keeps its limits" * doctest::skip(!kIsWhole)) {
  Daemon daemon(sections("enforce_cage = \"log\"\n"));
  daemon.start();
  Calm calm(daemon);
  struct Let {
    std::string how;
    std::string cause;
  };
  int number = 0;
  for (const Let& let :
       {Let{"memfd", "the attack works: memfd_create"}, Let{"network", "the attack works: socket"},
        Let{"code", "the attack works: mmap"}, Let{"read", "the attack works: open"}, Let{"memory", "std::bad_alloc"}}) {
    INFO(let.how);
    const std::string name = "logged-" + std::to_string(++number);
    daemon.start_arena(name, {}, "hostile");
    Player eve(daemon.socket(), name, "eve");
    misbehave(eve, {.how = let.how, .while_file = let.how == "read" ? "/etc/passwd" : ""});
    REQUIRE(eventually([&] { return !crashes(daemon, name).empty(); }));
    CHECK(holds(crashes(daemon, name).back().cause, let.cause));
  }
  calm.check();
}

TEST_CASE("a game is given what its configuration says, and no more" * doctest::skip(!kIsWhole)) {
  Daemon daemon(sections("network = true\nthreads = true\nsystem_calls = [\"memfd_create\"]\nreadable = [\"arenad.toml\"]\n"));
  daemon.start();
  daemon.start_arena("wide", {}, "hostile");
  const auto tries = [&](const std::string& how, const std::string& path) {
    Player eve(daemon.socket(), "wide", "eve");
    const auto before = crashes(daemon, "wide").size();
    misbehave(eve, {.how = how, .while_file = path});
    REQUIRE(eventually([&] { return crashes(daemon, "wide").size() >= before + 2; }));
    return crashes(daemon, "wide")[0].cause;
  };
  CHECK(holds(tries("network", ""), "the attack works: socket"));
  CHECK(holds(tries("memfd", ""), "the attack works: memfd_create"));
  CHECK(holds(tries("read", daemon.config()), "the attack works: open"));
  CHECK(holds(tries("thread", ""), "the attack works: thread"));
  CHECK(holds(tries("execve", ""), "forbids the system call execve"));
}

TEST_CASE("arenad says which games have no cage, and a system call that does not exist is an error of the configuration") {
  Daemon daemon(sections("enforce_cage = \"off\"\n") +
                game_section("odd", module_path("echo"), "system_calls = [\"open_sesame\"]\n"));
  daemon.start();
  CHECK(daemon.has_logged("game=hostile msg=\"its code runs without a cage"));
  const auto refused = daemon.try_start_arena("arena", {}, "odd");
  REQUIRE_FALSE(refused);
  CHECK(holds(refused.error().text(), "there is no system call open_sesame"));
}
