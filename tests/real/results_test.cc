// Results of real matches, by the names of their fields: while the game is there, when its module is gone, and over the death of arenad.
#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

json results(const Daemon& daemon, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "results");
  arguments.emplace_back("--json");
  const Finished told = daemon.arenactl(arguments);
  INFO(told.err);
  REQUIRE(told.code == 0);
  return json::parse(told.out);
}

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
}

// A match of these two, of which each has said so much.
void play_match(Daemon& daemon, const std::string& name, int of_ann, int of_bob) {
  daemon.start_arena(name);
  Player ann(daemon.socket(), name, "ann");
  Player bob(daemon.socket(), name, "bob");
  play(ann, of_ann);
  play(bob, of_bob);
  REQUIRE(bob.arena().send<echo::Finish>([](echo::Finish::Builder) {}) == Sent::ok);
  CHECK(daemon.becomes(name, [](const ArenaFacts& facts) { return facts.state == "ended"; }));
  CHECK(eventually([&] { return daemon.results(name).size() == 2; }));
}

void check_both_matches(const Daemon& daemon) {
  const json one = results(daemon, {"duel-1"})["results"];
  REQUIRE(one.size() == 2);
  CHECK(one[0]["type_name"] == "Score");
  CHECK(one[0]["player"] == "ann");
  CHECK(one[0]["name"] == "duel-1");
  CHECK(one[0]["game"] == "echo");
  CHECK(one[0]["version"] == "1.0");
  CHECK(one[0]["fields"] == json{{"seat", one[0]["seat"]}, {"last", 3}});
  CHECK(one[1]["player"] == "bob");
  CHECK(one[1]["fields"]["last"] == 5);

  const json sums = results(daemon, {"--game", "echo", "--by", "player"});
  CHECK(sums["aggregates"] == json{{"last", "sum"}});
  REQUIRE(sums["groups"].size() == 2);
  CHECK(sums["groups"][0] == json{{"key", "ann"}, {"arena", nullptr}, {"count", 2}, {"fields", {{"last", 10}}}});
  CHECK(sums["groups"][1] == json{{"key", "bob"}, {"arena", nullptr}, {"count", 2}, {"fields", {{"last", 6}}}});
  CHECK(results(daemon, {"--game", "echo", "--where", "last>=5"})["results"].size() == 2);
  CHECK(results(daemon, {"--game", "ledger"})["results"].empty());
  CHECK(results(daemon, {"--game", "echo", "--since", "1h"})["results"].size() == 4);
}

}  // namespace

TEST_CASE("results are read by the names of their fields, also when the game's module is gone") {
  Daemon daemon(echo_section());
  daemon.start();
  play_match(daemon, "duel-1", 3, 5);
  play_match(daemon, "duel-2", 7, 1);
  check_both_matches(daemon);
  const Finished table = daemon.arenactl({"results", "--game", "echo", "-o", "arena,player,last", "--no-header"});
  CHECK(table.out.starts_with("duel-2  "));
  CHECK(table.out.find("duel-1  bob  ") != std::string::npos);

  daemon.crash();
  daemon.reconfigure(game_section("ledger", module_path("ledger")));
  std::filesystem::remove_all(daemon.folder() / "data/modules");
  daemon.start();
  check_both_matches(daemon);
}

TEST_CASE("results of arenas that arenad has forgotten are there") {
  Daemon daemon("[arenas]\nkeep_finished = 0\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel-1");
  const std::string id = daemon.arena("duel-1").id;
  {
    Player ann(daemon.socket(), "duel-1", "ann");
    play(ann, 3);
    REQUIRE(ann.arena().send<echo::Finish>([](echo::Finish::Builder) {}) == Sent::ok);
    CHECK(eventually([&] { return results(daemon, {"--game", "echo"})["results"].size() == 1; }));
  }
  // One that comes makes room.
  int others = 0;
  CHECK(eventually([&] {
    daemon.start_arena("another-" + std::to_string(++others));
    return !daemon.knows("duel-1");
  }));
  const json kept = results(daemon, {id})["results"];
  REQUIRE(kept.size() == 1);
  CHECK(kept[0]["name"] == "duel-1");
  CHECK(kept[0]["player"] == "ann");
  CHECK(kept[0]["fields"]["last"] == 3);
}
