// arenactl reload, rollback, rollout, pin, versions: what they make of words and replies, and the real program against an arenad that is
// not there.
#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "cli/batch_size.h"
#include "cli/code_text.h"
#include "cli/game_version_table.h"
#include "cli/rollout_json.h"
#include "cli/rollout_text.h"
#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"
#include "tests/cli_sample_status.h"

namespace {

using namespace arenad::cli_test;
using arenad::ErrorCode;
using arenad::cli::Colour;
using nlohmann::json;

namespace cli = arenad::cli;
namespace wire = arenad::wire;

constexpr const char* kOldCode = "0123456789abcdef0011223344556677";
constexpr const char* kNewCode = "ba9876543210fedc7766554433221100";
const std::string kHeading = "tanks: from 1.2.0 (0123456789ab) to 1.3.0 (ba9876543210), 12 arenas";

struct Failing {
  const char* name;
  const char* why;
};

struct Moment {
  uint64_t id = 7;
  const char* state = "canary";
  uint32_t passed = 0;
  uint32_t on_probation = 1;
  uint32_t waiting = 11;
  uint32_t gone = 0;
  bool is_over = false;
  std::vector<Failing> failures;
  const char* to_code = kNewCode;
};

void fill_rollout(wire::Rollout::Builder rollout, const Moment& moment) {
  rollout.setId(moment.id);
  rollout.setGame("tanks");
  rollout.setFromVersion("1.2.0");
  rollout.setFromCode(kOldCode);
  rollout.setToVersion("1.3.0");
  rollout.setToCode(moment.to_code);
  rollout.setState(moment.state);
  rollout.setTotal(12);
  rollout.setPassed(moment.passed);
  rollout.setOnProbation(moment.on_probation);
  rollout.setWaiting(moment.waiting);
  rollout.setGone(moment.gone);
  rollout.setElapsedMs(31'000);
  rollout.setIsOver(moment.is_over);
  auto failures = rollout.initFailures(static_cast<unsigned>(moment.failures.size()));
  for (unsigned i = 0; i < failures.size(); ++i) {
    failures[i].setId(kSampleId);
    failures[i].setName(moment.failures[i].name);
    failures[i].setWhy(moment.failures[i].why);
  }
}

const Moment kBegun{};
const Moment kDone{.state = "done", .passed = 12, .on_probation = 0, .waiting = 0, .is_over = true};
const Moment kFailed{.state = "failed",
                     .passed = 3,
                     .on_probation = 0,
                     .waiting = 8,
                     .is_over = true,
                     .failures = {{"duel-3", "signal=SEGV in frame 812, crash 17"}}};
const Moment kAborted{.state = "aborted", .passed = 4, .on_probation = 0, .waiting = 8, .is_over = true};

class SampleRollout {
 public:
  explicit SampleRollout(const Moment& moment) { fill_rollout(rollout_, moment); }
  [[nodiscard]] wire::Rollout::Builder builder() { return rollout_; }
  [[nodiscard]] wire::Rollout::Reader reader() const { return rollout_.asReader(); }

 private:
  capnp::MallocMessageBuilder message_;
  wire::Rollout::Builder rollout_ = message_.initRoot<wire::Rollout>();
};

std::string progress(const Moment& moment) {
  return cli::rollout_progress(SampleRollout(moment).reader());
}
std::string outcome(const Moment& moment) {
  return cli::rollout_outcome(SampleRollout(moment).reader());
}

json as_json(const Moment& moment) {
  json failures = json::array();
  for (const Failing& failing : moment.failures) {
    failures.push_back({{"id", kSampleId}, {"name", failing.name}, {"why", failing.why}});
  }
  return {{"id", moment.id},
          {"game", "tanks"},
          {"from_version", "1.2.0"},
          {"from_code", kOldCode},
          {"to_version", "1.3.0"},
          {"to_code", moment.to_code},
          {"from_runtime", ""},
          {"to_runtime", ""},
          {"state", moment.state},
          {"total", 12},
          {"passed", moment.passed},
          {"on_probation", moment.on_probation},
          {"waiting", moment.waiting},
          {"gone", moment.gone},
          {"pinned", 0},
          {"failures", failures},
          {"elapsed_ms", 31'000},
          {"is_over", moment.is_over}};
}

// What is said when somebody asks how it goes.
using Poll = std::function<void(Answering)>;

Poll seen(Moment moment) {
  return [moment = std::move(moment)](Answering answering) { fill_rollout(answering.reply.initRollouts(1)[0], moment); };
}
const Poll kHangsUp = [](Answering answering) { answering.hangs_up = true; };
const Poll kKnowsNone = [](Answering answering) { answering.reply.initRollouts(0); };

// Begins a rollout when asked to, then one of these each time, the last one for ever.
Answer rollout_answer(std::deque<Poll> polls, Moment begun = kBegun) {
  auto rest = std::make_shared<std::deque<Poll>>(std::move(polls));
  return [rest, begun](Answering answering) {
    if (!answering.request.isRollouts()) return fill_rollout(answering.reply.initRollout(), begun);
    rest->front()(answering);
    if (rest->size() > 1) rest->pop_front();
  };
}

class Module {
 public:
  Module() { std::ofstream(path()) << "code"; }
  [[nodiscard]] std::string path() const { return folder_.file("tanks.so"); }

 private:
  TemporaryFolder folder_;
};

Answer items_answer() {
  return [](Answering answering) {
    auto items = answering.reply.initItems(2);
    items[0].setId(kSampleId);
    items[0].setName("duel-1");
    items[0].setOk("pinned to 1.2.0");
    items[1].setName("duel-2");
    items[1].initError().setCode(wire::FailureCode::REFUSED);
    items[1].getError().setMessage("it is on probation");
  };
}

}  // namespace

TEST_SUITE("arenactl: options of rollouts") {
  TEST_CASE("a batch is a number of arenas or a share of them") {
    CHECK(cli::parse_batch_size("1").value().arenas == 1);
    CHECK(cli::parse_batch_size("10").value().arenas == 10);
    CHECK(cli::parse_batch_size("10").value().percent == 0);
    CHECK(cli::parse_batch_size("4294967295").value().arenas == UINT32_MAX);
    CHECK(cli::parse_batch_size("1%").value().percent == 1);
    CHECK(cli::parse_batch_size("25%").value().arenas == 0);
    CHECK(cli::parse_batch_size("100%").value().percent == 100);
    for (const char* wrong :
         {"", "%", "0", "0%", "-1", "-1%", "+1", "101%", "x", "1x", "1%%", "% 1", "1 %", " 1", "1.5", "4294967296"}) {
      CAPTURE(wrong);
      const auto batch = cli::parse_batch_size(wrong);
      REQUIRE_FALSE(batch);
      CHECK(batch.error().code == ErrorCode::invalid);
      CHECK(batch.error().message == "--batch: '" + std::string(wrong) +
                                         "' is neither a number of arenas, such as 10, nor a share of them from 1% to 100%");
    }
  }

  TEST_CASE("counts are whole numbers") {
    CHECK(cli::parse_count("--canary", "0").value() == 0);
    CHECK(cli::parse_count("--canary", "12").value() == 12);
    for (const char* wrong : {"", "-1", "+1", "x", "1x", "1%", "4294967296"}) {
      CAPTURE(wrong);
      const auto count = cli::parse_count("--canary", wrong);
      REQUIRE_FALSE(count);
      CHECK(count.error().message == "--canary: '" + std::string(wrong) + "' is no number, such as 0 or 10");
    }
  }
}

TEST_SUITE("arenactl: rollouts") {
  TEST_CASE("a version is named by what is known of it") {
    CHECK(cli::version_label("1.3.0", kNewCode) == "1.3.0 (ba9876543210)");
    CHECK(cli::version_label("", kNewCode) == "ba9876543210");
    CHECK(cli::version_label("1.3.0", "") == "1.3.0");
    CHECK(cli::version_label("", "") == "?");
    CHECK(cli::version_label("\x1b[2J", "\n") == "\\x1b[2J (\\x0a)");
  }

  TEST_CASE("the line that it begins with") {
    SampleRollout sample(kBegun);
    CHECK(cli::rollout_heading(sample.reader()) == kHeading);
    sample.builder().setPinned(1);
    CHECK(cli::rollout_heading(sample.reader()) == kHeading + ", 1 pinned is left out");
    sample.builder().setPinned(2);
    sample.builder().setTotal(1);
    CHECK(cli::rollout_heading(sample.reader()).ends_with(", 1 arena, 2 pinned are left out"));
  }

  TEST_CASE("the line on how it goes") {
    CHECK(progress(kBegun) == "canary: 0 passed, 1 on probation, 11 waiting");
    CHECK(progress({.state = "paused", .passed = 3, .on_probation = 0, .waiting = 7, .gone = 2}) ==
          "paused: 3 passed, 0 on probation, 7 waiting, 2 gone");
    CHECK(progress({.state = "rolling-back", .passed = 2, .on_probation = 1, .waiting = 7, .failures = {{"duel-3", "died"}}}) ==
          "rolling-back: 2 passed, 1 on probation, 7 waiting, 1 failed, 1 given back");
  }

  TEST_CASE("more failures than arenas, after one that could not be given back, are no huge number") {
    CHECK(progress({.state = "failed", .passed = 0, .on_probation = 0, .failures = {{"a", "died"}, {"a", "died again"}}}) ==
          "failed: 0 passed, 0 on probation, 11 waiting, 2 failed");
  }

  TEST_CASE("what became of it") {
    CHECK(outcome(kDone) == "tanks: done after 31s: 12 run 1.3.0 (ba9876543210) now");
    CHECK(outcome(kFailed) ==
          "tanks: failed after 31s: 1 failed; 3 run 1.3.0 (ba9876543210) now; 8 were not begun, and keep 1.2.0 (0123456789ab)");
    CHECK(outcome({.state = "failed", .passed = 0, .on_probation = 0, .waiting = 7, .gone = 1, .failures = {{"a", "died"}}}) ==
          "tanks: failed after 31s: 1 failed; 3 have 1.2.0 (0123456789ab) again; 7 were not begun, and keep 1.2.0 "
          "(0123456789ab); "
          "1 ended meanwhile");
    CHECK(outcome({.state = "aborted", .passed = 1, .on_probation = 0, .waiting = 1, .gone = 9}) ==
          "tanks: aborted after 31s: 1 runs 1.3.0 (ba9876543210) now; 1 has 1.2.0 (0123456789ab) again; 1 was not begun, and "
          "keeps "
          "1.2.0 (0123456789ab); 9 ended meanwhile");
    SampleRollout empty({.state = "done", .on_probation = 0, .waiting = 0});
    empty.builder().setTotal(0);
    CHECK(cli::rollout_outcome(empty.reader()) == "tanks: done after 31s: it concerned no arena");
  }

  TEST_CASE("failures name their arenas, and cannot act on the terminal") {
    const SampleRollout sample({.failures = {{"duel-3", "crash 17"}, {"", "\x1b[2J"}}});
    CHECK(cli::rollout_failures(sample.reader()) == Texts{"duel-3: crash 17", std::string(kSampleId) + ": \\x1b[2J"});
  }

  TEST_CASE("a block for each") {
    capnp::MallocMessageBuilder message;
    auto list = message.initRoot<wire::Reply>().initRollouts(2);
    fill_rollout(list[0], kFailed);
    fill_rollout(list[1], kBegun);
    list[1].setPinned(1);
    const std::string text = cli::render_rollouts(list.asReader(), Colour::none);
    CHECK(text ==
          "tanks: failed\n"
          "  rollout     7\n"
          "  from        1.2.0 (0123456789ab)\n"
          "  to          1.3.0 (ba9876543210)\n"
          "  arenas      12: 3 passed, 0 on probation, 8 waiting, 1 failed\n"
          "  failed      duel-3: signal=SEGV in frame 812, crash 17\n"
          "  elapsed     31s\n"
          "\n"
          "tanks: canary\n"
          "  rollout     7\n"
          "  from        1.2.0 (0123456789ab)\n"
          "  to          1.3.0 (ba9876543210)\n"
          "  arenas      12: 0 passed, 1 on probation, 11 waiting\n"
          "  pinned      1, left out\n"
          "  elapsed     31s\n");
    CHECK(contains(cli::render_rollouts(list.asReader(), Colour::ansi), "\x1b[1;31mfailed\x1b[0m"));
  }

  TEST_CASE("as JSON") {
    const SampleRollout sample(kFailed);
    CHECK(json::parse(cli::rollout_json(sample.reader())) == json{{"schema", 1}, {"rollout", as_json(kFailed)}});
    CHECK(json::parse(cli::rollout_json(sample.reader(), arenad::make_error(ErrorCode::timeout, "too long")))["error"] ==
          json{{"code", "timeout"}, {"message", "too long"}});
  }
}

TEST_SUITE("arenactl reload") {
  TEST_CASE("sends the module, and tells how it goes") {
    const Module module;
    std::string sent;
    const Answer rollout = rollout_answer(
        {seen(kBegun), seen(kBegun), seen({.state = "rolling", .passed = 1, .on_probation = 3, .waiting = 8}), seen(kDone)});
    FakeDaemon daemon([&](Answering answering) {
      std::array<char, 16> bytes{};
      for (const auto& fd : answering.received) {
        sent.append(bytes.data(), static_cast<size_t>(std::max<ssize_t>(::pread(fd.get(), bytes.data(), bytes.size(), 0), 0)));
      }
      rollout(answering);
    });
    const Ended ended = ask(daemon, {"reload", "tanks", module.path()});
    CHECK(ended.code == 0);
    CHECK(ended.out == kHeading +
                           "\n"
                           "canary: 0 passed, 1 on probation, 11 waiting\n"
                           "rolling: 1 passed, 3 on probation, 8 waiting\n"
                           "tanks: done after 31s: 12 run 1.3.0 (ba9876543210) now\n");
    CHECK(ended.err == "");
    CHECK(sent == "code");
    CHECK(daemon.requests() ==
          Texts{"(id = 1, fds = 1, reload = (game = \"tanks\", file = \"tanks.so\", arenas = [], canary = 1, batch = 0, "
                "batchPercent = 25, probationMs = 5000, probationFrames = 100, onFailure = stop, dryRun = false, "
                "installedRuntime = false))",
                "rollouts = \"tanks\"", "rollouts = \"tanks\"", "rollouts = \"tanks\"", "rollouts = \"tanks\""});
  }

  TEST_CASE("passes on every option") {
    const Module module;
    FakeDaemon daemon(rollout_answer({}));
    const Ended ended =
        ask(daemon, {"reload", "tanks", module.path(), "--canary", "0", "--batch", "10", "--probation", "2m",
                     "--probation-frames", "7", "--arenas", "duel-*", "ladder-*", "--on-failure", "rollback-all", "--dry-run"});
    CHECK(ended.code == 0);
    CHECK(ended.out == kHeading + "; nothing was changed\n");
    CHECK(daemon.requests() ==
          Texts{"(id = 1, fds = 1, reload = (game = \"tanks\", file = \"tanks.so\", arenas = [\"duel-*\", \"ladder-*\"], "
                "canary = 0, batch = 10, batchPercent = 0, probationMs = 120000, probationFrames = 7, onFailure = rollbackAll, "
                "dryRun = true, "
                "installedRuntime = false))"});
  }

  TEST_CASE("a runtime alone, both, and the installed one") {
    const Module module;
    const TemporaryFolder folder;
    const std::string runtime = folder.file("new-worker");
    std::ofstream(runtime) << "runtime";
    FakeDaemon daemon([answer = rollout_answer({seen(kDone)})](Answering answering) { answer(answering); });
    const auto asks = [&](const Texts& arguments, int fds, const std::string& file, const std::string& with,
                          const std::string& installed) {
      CHECK(ask(daemon, arguments).code == 0);
      const Texts requests = daemon.requests();
      const auto last = std::find_if(requests.rbegin(), requests.rend(),
                                     [](const std::string& request) { return contains(request, "reload = "); });
      REQUIRE(last != requests.rend());
      CHECK(contains(*last, "game = \"tanks\""));
      if (fds != 0) CHECK(contains(*last, "fds = " + std::to_string(fds)));
      CHECK(contains(*last, " file = \"" + file + '"') == !file.empty());
      CHECK(contains(*last, "runtime = \"" + with + '"') == !with.empty());
      CHECK(contains(*last, "installedRuntime = " + installed));
    };
    asks({"reload", "tanks", "--runtime", runtime}, 1, "", "new-worker", "false");
    asks({"reload", "tanks", module.path(), "--runtime", runtime}, 2, "tanks.so", "new-worker", "false");
    asks({"reload", "tanks", "--runtime"}, 0, "", "", "true");
    asks({"reload", "tanks", module.path(), "--runtime"}, 1, "tanks.so", "", "true");
    const Ended missing = ask(daemon, {"reload", "tanks", "--runtime", folder.file("none")});
    CHECK(missing.code == 1);
    CHECK(contains(missing.err, "cannot open the runtime " + folder.file("none")));
  }

  // Answers a rollout of the game that is asked for; that of `bad` fails.
  Answer all_games_answer(std::string bad) {
    auto begun = std::make_shared<std::string>();
    return [begun, bad = std::move(bad)](Answering answering) {
      const auto fill = [&](wire::Rollout::Builder rollout) {
        Moment moment = kDone;
        if (*begun == bad) moment.state = "failed";
        fill_rollout(rollout, moment);
        rollout.setGame(*begun);
      };
      if (answering.request.isVersions()) {
        auto versions = answering.reply.initVersions(3);
        versions[0].setGame("tanks");
        versions[1].setGame("chess");
        versions[2].setGame("tanks");
      } else if (answering.request.isRollouts()) {
        fill(answering.reply.initRollouts(1)[0]);
      } else {
        const auto game = answering.request.getReload().getGame();
        begun->assign(game.begin(), game.size());
        fill(answering.reply.initRollout());
      }
    };
  }

  TEST_CASE("a runtime for all games: one after the other, and the first that fails is the last") {
    FakeDaemon good(all_games_answer(""));
    const Ended done = ask(good, {"reload", "--runtime"});
    CHECK(done.code == 0);
    CHECK(contains(done.out, "chess: done after 31s"));
    CHECK(contains(done.out, "tanks: done after 31s"));
    CHECK(good.requests().size() == 3);
    FakeDaemon bad(all_games_answer("chess"));
    const Ended failed = ask(bad, {"reload", "--runtime"});
    CHECK(failed.code == 1);
    CHECK_FALSE(contains(failed.out, "tanks"));
    CHECK(contains(failed.err, "not begun: tanks"));
    CHECK(bad.requests().size() == 2);
  }

  TEST_CASE("another runtime is told where the versions are") {
    SampleRollout rollout(kBegun);
    rollout.builder().setFromRuntime(kOldCode);
    rollout.builder().setToRuntime(kNewCode);
    CHECK(cli::rollout_heading(rollout.reader()) ==
          "tanks: from 1.2.0 (0123456789ab) to 1.3.0 (ba9876543210) with runtime ba9876543210, 12 arenas");
    rollout.builder().setToRuntime(kOldCode);
    CHECK(cli::rollout_heading(rollout.reader()) == kHeading);
  }

  TEST_CASE("does not wait if that is not wanted") {
    const Module module;
    FakeDaemon daemon(rollout_answer({}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path(), "--no-wait"});
    CHECK(ended.code == 0);
    CHECK(ended.out == kHeading + "\nbegun; arenactl rollout status tanks shows how it goes\n");
    CHECK(json::parse(ask(daemon, {"reload", "tanks", module.path(), "--no-wait", "--json"}).out) ==
          json{{"schema", 1}, {"rollout", as_json(kBegun)}});
    CHECK(daemon.requests().size() == 2);
  }

  TEST_CASE("what is over at once is not waited for") {
    const Module module;
    FakeDaemon daemon(rollout_answer({}, kDone));
    CHECK(ask(daemon, {"reload", "tanks", module.path()}).out ==
          kHeading + "\ntanks: done after 31s: 12 run 1.3.0 (ba9876543210) now\n");
    CHECK(daemon.requests().size() == 1);
  }

  TEST_CASE("a failure is told, with what became of the others") {
    const Module module;
    FakeDaemon daemon(rollout_answer({seen(kFailed)}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path()});
    CHECK(ended.code == 1);
    CHECK(ended.out == kHeading + "\ncanary: 0 passed, 1 on probation, 11 waiting\n");
    CHECK(ended.err ==
          "arenactl: duel-3: signal=SEGV in frame 812, crash 17\n"
          "arenactl: tanks: failed after 31s: 1 failed; 3 run 1.3.0 (ba9876543210) now; 8 were not begun, and keep 1.2.0 "
          "(0123456789ab)\n");
    const Ended with_json = ask(daemon, {"reload", "tanks", module.path(), "--json"});
    CHECK(with_json.code == 1);
    const json parsed = json::parse(with_json.out);
    CHECK(parsed["rollout"] == as_json(kFailed));
    CHECK(parsed["error"]["code"] == "failed");
  }

  TEST_CASE("aborted is not done") {
    const Module module;
    FakeDaemon daemon(rollout_answer({seen(kAborted)}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path(), "--quiet"});
    CHECK(ended.code == 1);
    CHECK(ended.out == "");
    CHECK(ended.err ==
          "arenactl: tanks: aborted after 31s: 4 run 1.3.0 (ba9876543210) now; 8 were not begun, and keep 1.2.0 "
          "(0123456789ab)\n");
  }

  TEST_CASE("with --json only the last object is printed") {
    const Module module;
    FakeDaemon daemon(rollout_answer({seen(kBegun), seen(kDone)}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path(), "--json"});
    CHECK(ended.code == 0);
    CHECK(json::parse(ended.out) == json{{"schema", 1}, {"rollout", as_json(kDone)}});
    CHECK(ended.err == "");
  }

  TEST_CASE("waiting has an end, the rollout goes on") {
    const Module module;
    FakeDaemon daemon(rollout_answer({seen(kBegun)}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path(), "--timeout", "3s"});
    CHECK(ended.code == 5);
    CHECK(ended.err ==
          "arenactl: not finished after 3s; the rollout goes on: arenactl rollout status tanks shows it, arenactl rollout "
          "abort "
          "tanks ends it\n");
    const json parsed = json::parse(ask(daemon, {"reload", "tanks", module.path(), "--timeout", "1ms", "--json"}).out);
    CHECK(parsed["error"]["code"] == "timeout");
  }

  TEST_CASE("a timeout of 0 is none") {
    const Module module;
    for (const char* none : {"0", "0s"}) {
      FakeDaemon daemon(rollout_answer({seen(kBegun), seen(kDone)}));
      CHECK(ask(daemon, {"reload", "tanks", module.path(), "--timeout", none}).code == 0);
    }
  }

  TEST_CASE("Ctrl-C ends the waiting, the rollout goes on") {
    const Module module;
    std::promise<void> asked;
    bool first = true;
    const Answer rollout = rollout_answer({seen(kBegun)});
    FakeDaemon daemon([&](Answering answering) {
      rollout(answering);
      if (!answering.request.isRollouts() || !std::exchange(first, false)) return;
      asked.set_value();
    });
    const Running running = begin({"--socket", daemon.socket_path(), "reload", "tanks", module.path()});
    asked.get_future().wait();
    CHECK(::kill(running.pid, SIGINT) == 0);
    const Ended ended = end_of(running);
    CHECK(ended.code == 5);
    CHECK(contains(ended.out, kHeading));
    CHECK(
        ended.err ==
        "arenactl: interrupted; the rollout goes on: arenactl rollout status tanks shows it, arenactl rollout abort tanks ends "
        "it\n");
  }

  TEST_CASE("an arenad that is started again is asked on") {
    const Module module;
    FakeDaemon daemon(rollout_answer({seen(kBegun), kHangsUp, kHangsUp, seen(kDone)}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path()});
    CHECK(ended.code == 0);
    CHECK(ended.out.ends_with("\ntanks: done after 31s: 12 run 1.3.0 (ba9876543210) now\n"));
    CHECK(ended.err == "arenactl: arenad does not answer; asking again for 30s\n");
  }

  TEST_CASE("an arenad that does not know the rollout any more") {
    const Module module;
    FakeDaemon daemon(rollout_answer({kHangsUp, kKnowsNone}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path(), "--quiet"});
    CHECK(ended.code == 1);
    CHECK(ended.err ==
          "arenactl: tanks: the rollout was interrupted: arenad has been started again with another database, and does not "
          "know it "
          "any more; arenactl versions tanks shows what runs\n");
  }

  TEST_CASE("another rollout is not taken for this one") {
    const Module module;
    FakeDaemon daemon(rollout_answer({seen({.state = "done", .is_over = true, .to_code = "00aa"})}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path()});
    CHECK(ended.code == 1);
    CHECK(
        ended.err ==
        "arenactl: another rollout has followed, and what became of this one is not known: tanks: from 1.2.0 (0123456789ab) to "
        "1.3.0 (00aa), 12 arenas\n");
    FakeDaemon same_code(rollout_answer({seen({.id = 8, .state = "done", .is_over = true})}));
    const Ended later = ask(same_code, {"reload", "tanks", module.path()});
    CHECK(later.code == 1);
    CHECK(later.err.starts_with("arenactl: another rollout has followed"));
  }

  TEST_CASE("an arenad that does not come back") {
    const Module module;
    FakeDaemon daemon(rollout_answer({kHangsUp}));
    const Ended ended = ask(daemon, {"reload", "tanks", module.path(), "--quiet"});
    CHECK(ended.code == 7);
    CHECK(ended.err == "arenactl: arenad has closed the connection (" + daemon.socket_path() +
                           "); when it is back, arenactl rollout status tanks shows what became of the rollout\n");
  }

  TEST_CASE("what cannot be a module is found before arenad is asked") {
    FakeDaemon daemon(rollout_answer({}));
    const TemporaryFolder folder;
    const Ended missing = ask(daemon, {"reload", "tanks", folder.file("none.so")});
    CHECK(missing.code == 1);
    CHECK(missing.err == "arenactl: cannot open the module " + folder.file("none.so") + ": No such file or directory\n");
    REQUIRE(::mkfifo(folder.file("pipe.so").c_str(), 0600) == 0);
    REQUIRE(::mkdir(folder.file("folder.so").c_str(), 0700) == 0);
    for (const char* name : {"pipe.so", "folder.so"}) {
      const Ended wrong = ask(daemon, {"reload", "tanks", folder.file(name)});
      CHECK(wrong.code == 2);
      CHECK(wrong.err == "arenactl: the module " + folder.file(name) + " is not a regular file\n");
    }
    CHECK(daemon.requests().empty());
  }

  TEST_CASE("wrong arguments are found before arenad is asked") {
    const Module module;
    FakeDaemon daemon(rollout_answer({}));
    for (const Texts& options :
         {Texts{"--batch", "0"}, Texts{"--batch", "-1"}, Texts{"--batch", "101%"}, Texts{"--batch", "x"},
          Texts{"--canary", "-1"}, Texts{"--canary", "x"}, Texts{"--probation", "5"}, Texts{"--probation", "-1s"},
          Texts{"--probation-frames", "1s"}, Texts{"--on-failure", "go-on"}, Texts{"--timeout", "5"}, Texts{"more"}}) {
      CAPTURE(options[0]);
      CAPTURE(options.back());
      for (Texts arguments : {Texts{"reload", "tanks", module.path()}, Texts{"rollback", "tanks"}}) {
        arguments.insert(arguments.end(), options.begin(), options.end());
        const Ended ended = ask(daemon, arguments);
        CHECK(ended.code == 2);
        CHECK(ended.out == "");
        CHECK(ended.err.starts_with("arenactl: "));
      }
    }
    CHECK(ask(daemon, {"reload"}).err ==
          "arenactl: which game? arenactl reload GAME MODULE.so, or arenactl reload --runtime for all\n");
    CHECK(ask(daemon, {"reload", "tanks"}).err == "arenactl: what shall tanks get? Give MODULE.so, --runtime, or both\n");
    CHECK(ask(daemon, {"reload", "tanks"}).code == 2);
    CHECK(contains(ask(daemon, {"reload", "tanks", module.path(), "--on-failure", "rolback-all"}).err,
                   "did you mean 'rollback-all'?"));
    CHECK(ask(daemon, {"rollback", "tanks", "--arenas", "duel-*"}).code == 2);
    CHECK(daemon.requests().empty());
  }

  TEST_CASE("a reply that does not come leaves a doubt") {
    FakeDaemon daemon(Answer{}, Conduct::closes);
    const Module module;
    CHECK(contains(ask(daemon, {"reload", "tanks", module.path()}).err, "the rollout may have begun"));
    CHECK_FALSE(contains(ask(daemon, {"reload", "tanks", module.path(), "--dry-run"}).err, "may have begun"));
    CHECK(contains(ask(daemon, {"rollout", "abort", "tanks"}).err, "see arenactl rollout status"));
  }
}

TEST_SUITE("arenactl rollback") {
  TEST_CASE("asks for the previous version, and waits") {
    FakeDaemon daemon(rollout_answer({seen(kDone)}));
    const Ended ended = ask(daemon, {"rollback", "tanks", "--batch", "100%", "--canary", "2"});
    CHECK(ended.code == 0);
    CHECK(ended.out == kHeading +
                           "\ncanary: 0 passed, 1 on probation, 11 waiting\n"
                           "tanks: done after 31s: 12 run 1.3.0 (ba9876543210) now\n");
    CHECK(daemon.requests() == Texts{"rollback = (game = \"tanks\", canary = 2, batch = 0, batchPercent = 100, probationMs = "
                                     "5000, probationFrames = 100, onFailure = stop, dryRun = false, installedRuntime = false)",
                                     "rollouts = \"tanks\""});
  }
}

TEST_SUITE("arenactl rollout") {
  TEST_CASE("shows the last one of each game, with and without the word") {
    FakeDaemon daemon(rollout_answer({seen(kFailed)}));
    const Ended ended = ask(daemon, {"rollout"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("tanks: failed\n  rollout     7\n  from        1.2.0 (0123456789ab)\n"));
    CHECK(ask(daemon, {"rollout", "status"}).out == ended.out);
    CHECK(ask(daemon, {"rollout", "status", "tanks"}).code == 0);
    CHECK(ask(daemon, {"rollout", "status", "--", "pause"}).code == 0);
    CHECK(daemon.requests() == Texts{"rollouts = \"\"", "rollouts = \"\"", "rollouts = \"tanks\"", "rollouts = \"pause\""});
    CHECK(json::parse(ask(daemon, {"rollout", "status", "--json"}).out) ==
          json{{"schema", 1}, {"rollouts", json::array({as_json(kFailed)})}});
  }

  TEST_CASE("a table for who says what is to be in it") {
    FakeDaemon daemon(rollout_answer({seen(kFailed)}));
    CHECK(ask(daemon, {"rollout", "status", "-o", "game,state,to", "--no-header"}).out ==
          "tanks  failed  1.3.0 (ba9876543210)\n");
    CHECK(ask(daemon, {"rollout", "-o", "game"}).out == "GAME\ntanks\n");
    CHECK(ask(daemon, {"rollout", "status", "tanks", "--no-header"}).out.starts_with("tanks  7  failed  "));
    const Ended wrong = ask(daemon, {"rollout", "status", "-o", "gmae"});
    CHECK(wrong.code == 2);
    CHECK(contains(wrong.err, "no column is called 'gmae'; did you mean 'game'?"));
  }

  TEST_CASE("none, and a verb that was spelt wrongly") {
    FakeDaemon daemon(rollout_answer({kKnowsNone}));
    const Ended ended = ask(daemon, {"rollout", "status"});
    CHECK(ended.code == 0);
    CHECK(ended.out == "");
    CHECK(ended.err == "arenactl: there was no rollout\n");
    CHECK(ask(daemon, {"rollout", "status", "tanks"}).err == "arenactl: there was no rollout of tanks\n");
    CHECK(ask(daemon, {"rollout", "abrot"}).err == "arenactl: there was no rollout of abrot; did you mean 'abort'?\n");
  }

  TEST_CASE("pause, resume, abort") {
    FakeDaemon daemon(rollout_answer({}, {.state = "paused", .passed = 4, .on_probation = 1, .waiting = 7}));
    for (const char* verb : {"pause", "resume", "abort"}) {
      const Ended ended = ask(daemon, {"rollout", verb, "tanks"});
      CHECK(ended.code == 0);
      CHECK(ended.out == "tanks: paused: 4 passed, 1 on probation, 7 waiting\n");
      CHECK(ask(daemon, {"rollout", verb}).code == 2);
      const Ended help = run({"rollout", verb, "--help"});
      CHECK(help.code == 0);
      CHECK(contains(help.out, std::string("Examples:\n  arenactl rollout ") + verb + " tanks"));
    }
    CHECK(daemon.requests() == Texts{"rolloutOrder = (game = \"tanks\", order = pause)",
                                     "rolloutOrder = (game = \"tanks\", order = resume)",
                                     "rolloutOrder = (game = \"tanks\", order = abort)"});
    CHECK(json::parse(ask(daemon, {"rollout", "pause", "tanks", "--json"}).out)["rollout"]["state"] == "paused");
  }
}

TEST_SUITE("arenactl pin, unpin") {
  TEST_CASE("at a terminal it is counted how many are there; to unpin takes no time") {
    FakeDaemon daemon([](Answering answering) {
      if (answering.request.isStatus()) {
        answering.reply.initStatus();
      } else {
        auto item = answering.reply.initItems(1)[0];
        item.setName("duel-1");
        item.setOk("done so");
      }
    });
    CHECK(run_at_terminal({"--socket", daemon.socket_path(), "pin", "duel-1", "1.2.0"}, "").code == 0);
    CHECK(run_at_terminal({"--socket", daemon.socket_path(), "unpin", "duel-1"}, "").code == 0);
    CHECK(daemon.requests() ==
          Texts{"status = (arenas = [\"duel-1\"], all = false, finished = true)",
                "pin = (selection = (arenas = [\"duel-1\"], all = false, finished = false), version = \"1.2.0\")",
                "pin = (selection = (arenas = [\"duel-1\"], all = false, finished = false), version = \"\")"});
  }

  TEST_CASE("each arena has its line, and the worst code counts") {
    FakeDaemon daemon(items_answer());
    for (const Texts& arguments : {Texts{"pin", "duel-1", "duel-2", "1.2.0"}, Texts{"unpin", "duel-1", "duel-2"}}) {
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 6);
      CHECK(ended.out == "duel-1: pinned to 1.2.0\n");
      CHECK(ended.err == "arenactl: duel-2: it is on probation\n");
    }
    CHECK(json::parse(ask(daemon, {"pin", "duel-*", "1.2.0", "--json"}).out)["items"][0]["ok"] == "pinned to 1.2.0");
  }

  TEST_CASE("the last word is the version") {
    FakeDaemon daemon(items_answer());
    ask(daemon, {"pin", "duel-1", "ladder-*", "0123456789ab"});
    ask(daemon, {"pin", "--all", "1.2.0"});
    ask(daemon, {"unpin", "duel-1"});
    ask(daemon, {"unpin", "--all"});
    CHECK(daemon.requests() ==
          Texts{"pin = (selection = (arenas = [\"duel-1\", \"ladder-*\"], all = false, finished = false), version = "
                "\"0123456789ab\")",
                "pin = (selection = (arenas = [], all = true, finished = false), version = \"1.2.0\")",
                "pin = (selection = (arenas = [\"duel-1\"], all = false, finished = false), version = \"\")",
                "pin = (selection = (arenas = [], all = true, finished = false), version = \"\")"});
  }

  TEST_CASE("wrong arguments are found before arenad is asked") {
    FakeDaemon daemon(items_answer());
    CHECK(ask(daemon, {"pin", "1.2.0"}).err == "arenactl: name one or more arenas, and behind them the version\n");
    for (const Texts& arguments :
         {Texts{"pin"}, Texts{"pin", "1.2.0"}, Texts{"pin", "duel-1", ""}, Texts{"pin", "", "1.2.0"},
          Texts{"pin", "--all", "duel-1", "1.2.0"}, Texts{"pin", "--all"}, Texts{"unpin"}, Texts{"unpin", "duel-1", "--all"}}) {
      CHECK(ask(daemon, arguments).code == 2);
    }
    CHECK(daemon.requests().empty());
  }
}

TEST_SUITE("arenactl versions") {
  Answer versions_answer() {
    return [](Answering answering) {
      auto versions = answering.reply.initVersions(2);
      versions[0].setGame("tanks");
      versions[0].setVersion("1.3.0");
      versions[0].setCode(kNewCode);
      versions[0].setFile("tanks-1.3.so");
      versions[0].setCurrent(true);
      versions[0].setArenas(12);
      versions[0].setRuntime(kNewCode);
      versions[0].setRuntimeVersion("0.9.0");
      versions[1].setGame("tanks");
      versions[1].setCode(kOldCode);
      versions[1].setFile("tanks.so");
      versions[1].setPrevious(true);
      versions[1].setConfigured(true);
    };
  }

  TEST_CASE("as a table and as JSON") {
    FakeDaemon daemon(versions_answer());
    const Ended ended = ask(daemon, {"versions"});
    CHECK(ended.code == 0);
    CHECK(ended.out ==
          "GAME   VERSION  CODE          RUNTIME               STATE                ARENAS  FILE\n"
          "tanks  1.3.0    ba9876543210  0.9.0 (ba9876543210)  current                  12  tanks-1.3.so\n"
          "tanks  -        0123456789ab  -                     previous,configured       0  tanks.so\n");
    CHECK(ended.err == "");
    const json parsed = json::parse(ask(daemon, {"versions", "tanks", "--json"}).out);
    CHECK(parsed["schema"] == 1);
    CHECK(parsed["versions"][1] == json{{"game", "tanks"},
                                        {"version", ""},
                                        {"code", kOldCode},
                                        {"file", "tanks.so"},
                                        {"runtime", ""},
                                        {"runtime_version", ""},
                                        {"current", false},
                                        {"previous", true},
                                        {"configured", true},
                                        {"arenas", 0}});
    CHECK(daemon.requests() == Texts{"versions = \"\"", "versions = \"tanks\""});
  }

  TEST_CASE("none") {
    FakeDaemon daemon([](Answering answering) { answering.reply.initVersions(0); });
    CHECK(ask(daemon, {"versions"}).err == "arenactl: no version is known\n");
    CHECK(ask(daemon, {"versions", "tanks"}).err == "arenactl: no version is known of tanks\n");
  }
}
