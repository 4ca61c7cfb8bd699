// Another arena-worker under running matches: who runs what, and that whatever happens to the files on disk changes nothing of it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"
#include "tests/real/played_matches.h"

using namespace arenad;
using namespace arenad::test;

namespace fs = std::filesystem;

namespace {

const std::string kConfig =
    "[arenas]\nready_timeout_ms = 3000\n"
    "[restart]\nintensity = 100\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n" +
    game_section("ledger", module_path("ledger"), "snapshot_interval_ms = 20\n");

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Programs that differ in their last bytes only, and run the same.
constexpr size_t kMarkBytes = 8;
void make_runtime(const fs::path& path, const std::string& mark) {
  REQUIRE(mark.size() == kMarkBytes);
  const fs::path unfinished = path.string() + ".new";
  fs::copy_file(ARENAD_TEST_WORKER, unfinished, fs::copy_options::overwrite_existing);
  std::ofstream(unfinished, std::ios::binary | std::ios::app) << mark;
  fs::rename(unfinished, path);
}

std::string mark_of(const fs::path& program) {
  std::ifstream file(program, std::ios::binary);
  std::string mark(kMarkBytes, '\0');
  file.seekg(-static_cast<std::streamoff>(kMarkBytes), std::ios::end);
  file.read(mark.data(), static_cast<std::streamsize>(mark.size()));
  return mark;
}

// An arenad whose configured worker program is a file of the test's.
struct Installed {
  explicit Installed(const std::string& sections = kConfig) : daemon(sections), worker(daemon.folder() / "arena-worker") {
    make_runtime(worker, "-first--");
    std::string config = read_file(daemon.config());
    const std::string configured = ARENAD_TEST_WORKER;
    config.replace(config.find(configured), configured.size(), worker.string());
    std::ofstream(daemon.config(), std::ios::trunc) << config;
    daemon.start();
  }
  [[nodiscard]] fs::path file(const char* name) const { return daemon.folder() / name; }
  [[nodiscard]] std::string runtime_of(const std::string& arena) {
    return mark_of("/proc/" + std::to_string(daemon.arena(arena).pid) + "/exe");
  }
  [[nodiscard]] size_t kept(const char* what) const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(fs::path(daemon.folder() / "state") / what), {}));
  }

  Daemon daemon;
  fs::path worker;
};

// Two players in each of some arenas, who play all the time.
class Matches : public PlayedMatches {
 public:
  Matches(Daemon& daemon, const std::vector<std::string>& names, const Params& params) : PlayedMatches(daemon) {
    for (const std::string& name : names) start(name, params);
  }
  // What became of the rollout.
  std::string play_to_the_end_of_rollout() {
    std::string status;
    CHECK(play_until([&] {
      status = daemon().arenactl({"rollout", "status", "ledger", "--json"}).out;
      return contains(status, "\"is_over\":true");
    }));
    return status;
  }
  void play_and_check() {
    int rounds = 0;
    CHECK(play_until([&] { return ++rounds > 10; }));
    check();
    CHECK(times_rolled_back() == 0);
  }
};

const std::vector<std::string> kQuickly{"--no-wait", "--probation", "200ms", "--probation-frames", "10", "--batch", "100%"};

std::vector<std::string> quickly(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), kQuickly.begin(), kQuickly.end());
  return arguments;
}

}  // namespace

TEST_CASE("another runtime takes over under play, stays with its arenas over every death, and is rolled back") {
  for (const Params& params : {Params{}, Params{{"hz", "60"}}}) {
    Installed installed;
    Daemon& daemon = installed.daemon;
    const std::vector<std::string> names{"match-0", "match-1", "match-2"};
    Matches matches(daemon, names, params);
    const auto all_run = [&](const std::string& mark) {
      for (const std::string& name : names) CHECK(installed.runtime_of(name) == mark);
    };
    matches.play_and_check();
    all_run("-first--");

    make_runtime(installed.file("next"), "-second-");
    CHECK(daemon.arenactl(quickly({"reload", "ledger", "--runtime", installed.file("next").string()})).code == 0);
    CHECK(contains(matches.play_to_the_end_of_rollout(), "\"state\":\"done\""));
    matches.play_and_check();
    all_run("-second-");
    for (const std::string& name : names) CHECK(daemon.arena(name).restarts_total == 0);
    const std::string versions = daemon.arenactl({"versions", "ledger"}).out;
    CHECK(contains(versions, "current"));
    CHECK(contains(versions, "previous,configured"));
    CHECK(installed.kept("versions") == 2);
    CHECK(installed.kept("modules") == 3);

    // Neither file matters any more.
    fs::remove(installed.file("next"));
    fs::remove(installed.worker);
    CHECK(daemon.runs_again("match-0", daemon.kill_worker("match-0")));
    matches.play_and_check();
    all_run("-second-");
    daemon.start_arena("new", params, "ledger");
    CHECK(installed.runtime_of("new") == "-second-");

    // Somebody installs a third one, and arenad dies: it is for new arenas.
    make_runtime(installed.worker, "-third--");
    daemon.kill_arenad();
    daemon.start();
    CHECK(matches.play_until([&] { return daemon.arena("match-0").clients == 2; }));
    all_run("-second-");
    CHECK(daemon.runs_again("match-1", daemon.kill_worker("match-1")));
    matches.play_and_check();
    all_run("-second-");
    daemon.start_arena("newest", params, "ledger");
    CHECK(installed.runtime_of("newest") == "-third--");

    CHECK(daemon.arenactl(quickly({"rollback", "ledger"})).code == 0);
    CHECK(contains(matches.play_to_the_end_of_rollout(), "\"state\":\"done\""));
    CHECK(installed.runtime_of("newest") == "-second-");
    all_run("-second-");
    matches.play_and_check();
  }
}

TEST_CASE("module and runtime at once, and a module alone keeps the runtime") {
  Installed installed;
  Daemon& daemon = installed.daemon;
  Matches matches(daemon, {"match-0"}, {});
  make_runtime(installed.file("next"), "-second-");
  CHECK(daemon.arenactl(quickly({"reload", "ledger", module_path("ledger_good"), "--runtime", installed.file("next").string()}))
            .code == 0);
  CHECK(contains(matches.play_to_the_end_of_rollout(), "\"state\":\"done\""));
  CHECK(installed.runtime_of("match-0") == "-second-");
  CHECK(contains(daemon.arenactl({"status", "match-0"}).out, "2.0-good"));
  CHECK(daemon.arenactl(quickly({"reload", "ledger", module_path("ledger")})).code == 0);
  CHECK(contains(matches.play_to_the_end_of_rollout(), "\"state\":\"done\""));
  CHECK(installed.runtime_of("match-0") == "-second-");
  matches.play_and_check();
  // The third combination of the same contents.
  CHECK(installed.kept("versions") == 3);
  CHECK(installed.kept("modules") == 4);
}

TEST_CASE("the installed runtime for all games") {
  Installed installed(kConfig + echo_section());
  Daemon& daemon = installed.daemon;
  daemon.start_arena("an-echo");
  daemon.start_arena("a-ledger", {{"hz", "60"}}, "ledger");
  make_runtime(installed.worker, "-second-");
  CHECK(daemon.runs_again("an-echo", daemon.kill_worker("an-echo")));
  CHECK(installed.runtime_of("an-echo") == "-first--");
  const Finished finished =
      daemon.arenactl({"reload", "--runtime", "--probation", "100ms", "--probation-frames", "0", "--timeout", "60s"});
  CHECK(finished.code == 0);
  CHECK(finished.err == "");
  CHECK(contains(finished.out, "echo: done"));
  CHECK(contains(finished.out, "ledger: done"));
  CHECK(contains(finished.out, "with runtime"));
  for (const char* name : {"an-echo", "a-ledger"}) CHECK(installed.runtime_of(name) == "-second-");
}

TEST_CASE("what cannot be a runtime is refused, and changes nothing") {
  Installed installed;
  Daemon& daemon = installed.daemon;
  Matches matches(daemon, {"match-0"}, {});
  matches.play_and_check();
  const size_t versions = installed.kept("versions");
  const size_t files = installed.kept("modules");
  const auto script = [&](const char* name, const char* text) {
    std::ofstream(installed.file(name)) << text;
    return installed.file(name).string();
  };
  struct Bad {
    std::string program;
    std::string why;
  };
  for (const Bad& bad :
       {Bad{"/bin/false", "it ended before it said what it is (code=exited, status=1"},
        Bad{script("text", "not a program"), "cannot execute"},
        Bad{script("crashes", "#!/bin/sh\nkill -SEGV $$\n"), "it ended before it said what it is (signal=SEGV"},
        Bad{script("hangs", "#!/bin/sh\nexec sleep 1000\n"), "it did not say what it is within 3000 ms"},
        Bad{ARENAD_TEST_BAD_RUNTIME "other_layout", "it is version 99.0 and its regions are of layout 77"}}) {
    CAPTURE(bad.program);
    const Finished refused = daemon.arenactl({"reload", "ledger", "--runtime", bad.program});
    CHECK(refused.code == 6);
    CHECK(contains(refused.err, "the runtime " + fs::path(bad.program).filename().string() + " of game ledger cannot be used"));
    CHECK(contains(refused.err, bad.why));
    matches.play_and_check();
    CHECK(daemon.arena("match-0").epoch == 1);
    CHECK(installed.kept("versions") == versions);
    CHECK(installed.kept("modules") == files);
  }
  // A bad module is the module's fault, also with a good runtime that is new.
  make_runtime(installed.file("next"), "-second-");
  const Finished refused =
      daemon.arenactl({"reload", "ledger", module_path("no_entry"), "--runtime", installed.file("next").string()});
  CHECK(contains(refused.err, "the module of game ledger cannot be used"));
  CHECK(installed.kept("modules") == files);
  CHECK(daemon.arenactl({"reload", "ledger", "--runtime", installed.file("next").string(), "--dry-run"}).code == 0);
  CHECK(installed.runtime_of("match-0") == "-first--");
  matches.play_and_check();
}

TEST_CASE("whatever a template and its workers say or do not say, whoever waits for a worker is told in time") {
  Installed installed;
  Daemon& daemon = installed.daemon;
  Matches matches(daemon, {"match-0"}, {});
  struct Bad {
    std::string mode;
    std::string why;
  };
  for (const Bad& bad :
       {Bad{"nonsense_ready", "it has sent arenad what is no message"},
        Bad{"nonsense_spare", "it has sent arenad what is no message"},
        Bad{"wrong_spare", "what it has sent is not what a new worker sends"}, Bad{"silent_spare", "within 3000 ms"},
        Bad{"dies_at_fork", "its template has ended (code=exited, status=9)"}}) {
    CAPTURE(bad.mode);
    const Finished refused = daemon.arenactl({"reload", "ledger", "--runtime", ARENAD_TEST_BAD_RUNTIME + bad.mode});
    CHECK(refused.code != 0);
    CAPTURE(refused.err);
    CHECK(contains(refused.err, bad.why));
    matches.play_and_check();
    CHECK(daemon.arena("match-0").epoch == 1);
  }
}
