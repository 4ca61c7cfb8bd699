// arenactl gate: a match that was really played and exported, in code that is as good as before, slower, or something else.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "tests/real/reports.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

constexpr int kWorse = 8;

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

// A match of the echo game that burns time while the file `cause` is there, exported to `file`.
class PlayedMatch {
 public:
  PlayedMatch() {
    daemon_.start();
    daemon_.start_arena("duel");
    Player ann(daemon_.socket(), "duel", "ann");
    play(ann);
    misbehave(ann, {.how = "burn", .while_file = cause(), .ms = 50});
    play(ann);
  }
  [[nodiscard]] std::string cause() const { return (daemon_.folder() / "cause").string(); }
  [[nodiscard]] std::string file(const char* name) const { return (daemon_.folder() / name).string(); }
  Daemon& daemon() { return daemon_; }

  static void play(Player& player) {
    for (int i = 0; i < 20; ++i) player.say();
    CHECK(player.hears_all());
  }
  void save() { CHECK(daemon_.arenactl({"export", "duel", file("duel.recording")}).code == 0); }

  [[nodiscard]] Finished gate(const std::vector<std::string>& options) const {
    std::vector<std::string> words{"gate",     file("duel.recording"), "--module", module_path("echo"),
                                   "--worker", ARENAD_TEST_WORKER};
    if (std::ranges::find(options, "--rounds") == options.end()) words.insert(words.end(), {"--rounds", "3"});
    words.insert(words.end(), options.begin(), options.end());
    return daemon_.arenactl(words);
  }

 private:
  Daemon daemon_{echo_section()};
};

std::string verdict_on(const json& gate, const std::string& name) {
  for (const json& check : gate["checks"]) {
    if (check["name"] == name) return check["verdict"];
  }
  return "none";
}

}  // namespace

TEST_CASE("the same code passes, against itself, a baseline, and the recording alone") {
  PlayedMatch match;
  match.save();
  // What the machine does meanwhile is no matter here.
  const Finished against_itself = match.gate({"--against", module_path("echo"), "--max-slower", "100000", "--json"});
  CAPTURE(against_itself.err);
  CHECK(against_itself.code == 0);
  const json gate = json::parse(against_itself.out)["gate"];
  CHECK(gate["passed"] == true);
  for (const char* name : {"outputs", "final state", "frames", "results", "every run the same"})
    CHECK(verdict_on(gate, name) == "passed");

  const Finished alone = match.gate({"--write-baseline", match.file("before.json")});
  CHECK(alone.code == 0);
  CHECK(has(alone.out, "as recorded"));
  const Finished again =
      match.gate({"--baseline", match.file("before.json"), "--max-slower", "100000", "--junit", match.file("gate.xml")});
  CHECK(again.code == 0);
  CHECK(has(read_file(match.file("gate.xml")), "failures=\"0\""));
  CHECK(run_to_end({"/bin/sh", "-c", "! command -v xmllint >/dev/null || xmllint --noout --nonet " + match.file("gate.xml")},
                   match.daemon().folder())
            .code == 0);
}

TEST_CASE("code that is slower fails, with an exit code of its own, and is told of") {
  PlayedMatch match;
  match.save();
  REQUIRE(match.gate({"--write-baseline", match.file("before.json")}).code == 0);
  write_file(match.cause(), "");
  const Finished slower = match.gate({"--baseline", match.file("before.json"), "--junit", match.file("gate.xml")});
  CHECK(slower.code == kWorse);
  CHECK(has(slower.err, "failed: "));
  CHECK(has(read_file(match.file("gate.xml")), "<failure message=\"longest frame: "));
  const json gate = json::parse(match.gate({"--baseline", match.file("before.json"), "--json"}).out)["gate"];
  CHECK(gate["passed"] == false);
  CHECK(verdict_on(gate, "longest frame") == "failed");
  CHECK(verdict_on(gate, "outputs") == "passed");
  CHECK(match.gate({"--baseline", match.file("before.json"), "--max-slower", "1000000"}).code == 0);
}

TEST_CASE("code that gives something else each time fails") {
  PlayedMatch match;
  Player bob(match.daemon().socket(), "duel", "bob");
  REQUIRE(bob.arena().send<echo::AskTime>([](echo::AskTime::Builder) {}) == Sent::ok);
  PlayedMatch::play(bob);
  match.save();
  const Finished other = match.gate({"--json"});
  CHECK(other.code == kWorse);
  const json gate = json::parse(other.out)["gate"];
  CHECK(verdict_on(gate, "every run the same") == "failed");
  CHECK(verdict_on(gate, "outputs") == "failed");
}

TEST_CASE("what cannot be compared is an error, and says why") {
  PlayedMatch match;
  match.save();
  const auto fails = [&](const std::vector<std::string>& options, int code, const std::string& why) {
    const Finished failed = match.gate(options);
    CAPTURE(failed.err);
    CHECK(failed.code == code);
    CHECK(has(failed.err, why));
  };
  fails({"--against", module_path("scripted")}, 1, "the recording is of echo, the module is scripted");
  fails({"--against", "/nonexistent/module.so"}, 1, "/nonexistent/module.so");
  fails({"--baseline", "/nonexistent/before.json"}, 2, "cannot read /nonexistent/before.json");
  fails({"--outputs", "most"}, 2, "--outputs: 'most' is neither same nor any");
  fails({"--rounds", "0"}, 2, "--rounds: '0' is no number");
  fails({"--max-slower", "-1"}, 2, "--max-slower");
  write_file(match.file("before.json"), "{}");
  fails({"--baseline", match.file("before.json")}, 2, "no baseline that arenactl gate has written");
  write_file(match.file("duel.recording"), "nonsense");
  fails({}, 2, "duel.recording");
}
