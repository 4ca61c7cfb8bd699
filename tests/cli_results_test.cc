// arenactl results: from the bytes in the database to tables and JSON. Values, conditions and groups without a daemon, then the verb with one
// that is played.
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "cli/result_condition.h"
#include "cli/result_groups.h"
#include "cli/result_reader.h"
#include "cli/result_row.h"
#include "cli/result_table.h"
#include "cli/result_value.h"
#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"
#include "tests/support/game_schema.h"
#include "tests/support/random_tree.h"
#include "tests/support/seed.h"
#include "tests/support/test_messages.capnp.h"
#include "tests/support/test_results.capnp.h"

using namespace arenad::cli;
using arenad::ErrorCode;
using arenad::cli_test::Answering;
using arenad::cli_test::ask;
using arenad::cli_test::Ended;
using arenad::cli_test::FakeDaemon;
using arenad::cli_test::Texts;
using arenad::test::Battle;
using arenad::test::BattleLater;
using arenad::test::game_schema;
using arenad::test::Rank;
using arenad::test::segment_of;
using json = nlohmann::json;
namespace wire = arenad::wire;

namespace {

using Fill = std::function<void(Battle::Builder)>;

std::span<const unsigned char> bytes_of(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::string battle(const Fill& fill) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<Battle>());
  return segment_of(message);
}

template <class... Types>
ResultReader reader_of() {
  auto reader = ResultReader::load(bytes_of(game_schema<Types...>()));
  REQUIRE_MESSAGE(reader, reader.error().text());
  return std::move(*reader);
}

template <class Type>
ResultRow row_of(ResultReader& reader, const std::string& message) {
  auto read = reader.read(capnp::typeId<Type>(), bytes_of(message));
  REQUIRE_MESSAGE(read, read.error().text());
  ResultRow row;
  row.type = capnp::typeId<Type>();
  row.message = message;
  row.fields_type = read->type;
  row.values = std::move(read->values);
  return row;
}

ResultRow row_of_player(ResultReader& reader, const std::string& player, const Fill& fill) {
  ResultRow row = row_of<Battle>(reader, battle(fill));
  row.player = player;
  return row;
}

bool met(const std::string& condition, const ResultRow& row) {
  auto parsed = ResultCondition::parse(condition);
  REQUIRE_MESSAGE(parsed, parsed.error().text());
  const auto answer = parsed->is_met_by(row);
  REQUIRE_MESSAGE(answer, answer.error().text());
  return answer.value();
}

Total total_of(Aggregate aggregate, const std::vector<ResultValue>& values) {
  Total total(aggregate);
  for (const ResultValue& value : values) total.add(value);
  return total;
}

std::string sum_of(Aggregate aggregate, const std::vector<ResultValue>& values) {
  return value_text(total_of(aggregate, values).value());
}

Texts texts_of(const std::vector<ResultValue>& values) {
  Texts texts;
  for (const ResultValue& value : values) texts.push_back(value_text(value));
  return texts;
}

}  // namespace

TEST_SUITE("arenactl results: values") {
  TEST_CASE("each aggregate of each kind") {
    const std::vector<ResultValue> numbers{Integer{3}, Integer{-5}, Integer{4}};
    CHECK(sum_of(Aggregate::sum, numbers) == "2");
    CHECK(sum_of(Aggregate::max, numbers) == "4");
    CHECK(sum_of(Aggregate::last, numbers) == "3");
    CHECK(sum_of(Aggregate::any, numbers) == "true");
    CHECK(sum_of(Aggregate::skip, numbers) == "");
    CHECK(sum_of(Aggregate::any, {Integer{0}, Integer{0}}) == "false");
    const std::vector<ResultValue> flags{true, false, true};
    CHECK(sum_of(Aggregate::sum, flags) == "2");
    CHECK(sum_of(Aggregate::max, flags) == "true");
    CHECK(sum_of(Aggregate::any, {false, false}) == "false");
    CHECK(sum_of(Aggregate::any, {false, true}) == "true");
    const std::vector<ResultValue> texts{std::string("tiger"), std::string("panther")};
    CHECK(sum_of(Aggregate::sum, texts) == "");
    CHECK(sum_of(Aggregate::max, texts) == "tiger");
    CHECK(sum_of(Aggregate::last, texts) == "tiger");
    CHECK(sum_of(Aggregate::any, {std::string()}) == "false");
    const std::vector<ResultValue> ranks{EnumValue{1, "zz"}, EnumValue{2, "aa"}};
    CHECK(sum_of(Aggregate::max, ranks) == "aa");
    CHECK(sum_of(Aggregate::sum, ranks) == "");
    CHECK(sum_of(Aggregate::any, {EnumValue{0, "recruit"}}) == "false");
    CHECK(sum_of(Aggregate::max, {CompositeValue{"[1]"}}) == "");
    CHECK(sum_of(Aggregate::last, {CompositeValue{"[1]"}}) == "[1]");
    CHECK(sum_of(Aggregate::any, {CompositeValue{"[1]"}}) == "");
  }

  TEST_CASE("nothing adds up to nothing, and what is none is left out") {
    for (const Aggregate aggregate : {Aggregate::skip, Aggregate::sum, Aggregate::max, Aggregate::last, Aggregate::any}) {
      CHECK(is_none(total_of(aggregate, {}).value()));
      CHECK(is_none(total_of(aggregate, {ResultValue()}).value()));
    }
    CHECK(sum_of(Aggregate::last, {ResultValue(), Integer{7}}) == "7");
    CHECK(sum_of(Aggregate::sum, {ResultValue(), Integer{7}}) == "7");
  }

  TEST_CASE("sums are exact beyond what a field holds, and become fractions with fractions") {
    const ResultValue largest = Integer{UINT64_MAX};
    CHECK(sum_of(Aggregate::sum, {largest, largest}) == "36893488147419103230");
    CHECK(sum_of(Aggregate::sum, {Integer{1}, 0.5}) == "1.5");
    CHECK(sum_of(Aggregate::sum, {0.5, Integer{1}}) == "1.5");
  }

  TEST_CASE("there is an order of all values") {
    const std::vector<ResultValue> ordered{ResultValue(),
                                           Integer{-1},
                                           false,
                                           Integer{2},
                                           2.5,
                                           Integer{UINT64_MAX},
                                           std::string("anna"),
                                           std::string("bob"),
                                           EnumValue{0, "z"},
                                           EnumValue{1, "a"},
                                           CompositeValue{"[1]"},
                                           CompositeValue{"[2]"}};
    for (size_t i = 0; i < ordered.size(); ++i) {
      for (size_t j = 0; j < ordered.size(); ++j) {
        CAPTURE(i);
        CAPTURE(j);
        CHECK(comes_before(ordered[i], ordered[j]) == (i < j));
      }
    }
    CHECK_FALSE(compare(Integer{1}, std::string("1")));
    CHECK(comes_before(std::stod("nan"), -1e300));
    CHECK_FALSE(comes_before(-1e300, std::stod("nan")));
  }
}

TEST_SUITE("arenactl results: fields") {
  TEST_CASE("names, aggregates and values, in the order of the schema") {
    ResultReader reader = reader_of<Battle>();
    const ResultRow row = row_of<Battle>(reader, battle([](Battle::Builder to) {
                                           to.setTeam(1);
                                           to.setDamageDealt(UINT64_MAX);
                                           to.setLongestShot(412.5);
                                           to.setRank(Rank::CAPTAIN);
                                           to.setWon(true);
                                           to.setTank("Tiger");
                                           to.setKills(-3);
                                           auto place = to.initPlaces(1)[0];
                                           place.setX(7);
                                           to.getAt().setY(9);
                                           to.setCaptured(40);
                                         }));
    CHECK(row.fields_type->name == "Battle");
    Texts names;
    Texts aggregates;
    for (const ResultField& field : row.fields_type->fields) {
      names.push_back(field.name);
      aggregates.emplace_back(to_string(field.aggregate));
    }
    CHECK(names == Texts{"team", "damageDealt", "longestShot", "rank", "won", "cheated", "tank", "kills", "alive", "clan",
                         "places", "at.x", "at.y", "time", "captured", "surrendered"});
    CHECK(aggregates == Texts{"skip", "sum", "max", "max", "sum", "any", "last", "sum", "any", "last", "skip", "max", "max",
                              "sum", "sum", "skip"});
    CHECK(texts_of(row.values) == Texts{"1", "18446744073709551615", "412.5", "captain", "true", "false", "Tiger", "-3",
                                        "false", "", "[{\"x\":7,\"y\":0}]", "0", "9", "", "40", ""});
    CHECK(is_none(row.values[13]));
    CHECK_FALSE(is_none(row.values[9]));
  }

  TEST_CASE("what is no result says why") {
    ResultReader reader = reader_of<Battle>();
    const auto unknown = reader.read(1, bytes_of(battle([](Battle::Builder) {})));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().message == "the types of the game: 0x0000000000000001 is not among them");
    const auto torn = reader.read(capnp::typeId<Battle>(), bytes_of("1234567"));
    REQUIRE_FALSE(torn);
    CHECK(torn.error().message == "the result: it is no whole number of words");
    CHECK_FALSE(ResultReader::load(bytes_of("no types")));
  }

  TEST_CASE("a type that contains itself") {
    constexpr uint64_t kType = 0xfedcba9876543210;
    capnp::MallocMessageBuilder message;
    auto node = message.initRoot<wire::GameSchema>().initNodes(1)[0];
    node.setId(kType);
    node.setDisplayName("endless");
    auto type = node.initStruct();
    type.setPreferredListEncoding(capnp::schema::ElementSize::EMPTY);
    auto fields = type.initFields(2);
    for (unsigned i = 0; i < 2; ++i) {
      fields[i].setName(i == 0 ? "again" : "anew");
      fields[i].setCodeOrder(static_cast<uint16_t>(i));
      fields[i].initGroup().setTypeId(kType);
    }
    const auto words = capnp::messageToFlatArray(message);
    auto reader = ResultReader::load({words.asBytes().begin(), words.asBytes().size()});
    if (reader) CHECK_FALSE(reader->read(kType, bytes_of(std::string(16, '\0'))));
  }

  TEST_CASE("damaged results are read or refused") {
    arenad::test::Random random(arenad::test::test_seed());
    ResultReader reader = reader_of<Battle>();
    int read = 0;
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
      std::string message = battle([&](Battle::Builder to) {
        to.setTank("Panther");
        to.initPlaces(static_cast<unsigned>(random.below(5)));
      });
      for (uint64_t left = 1 + random.below(4); left > 0; --left)
        message[random.below(message.size())] = static_cast<char>(random());
      ++(reader.read(capnp::typeId<Battle>(), bytes_of(message)) ? read : refused);
    }
    CHECK(read > 0);
    CHECK(refused > 0);
  }

  TEST_CASE("several versions share their columns, as the newest declares them") {
    ResultReader old_reader = reader_of<Battle>();
    ResultReader new_reader = reader_of<BattleLater>();
    capnp::MallocMessageBuilder later;
    later.initRoot<BattleLater>().setAssists(5);
    const ResultRow newest = row_of<BattleLater>(new_reader, segment_of(later));
    const ResultRow older = row_of<Battle>(old_reader, battle([](Battle::Builder to) { to.setDamageDealt(100); }));
    ResultColumns columns;
    columns.add(newest);
    columns.add(older);
    columns.add(newest);
    REQUIRE(columns.fields().size() == 17);
    CHECK(columns.fields()[1].aggregate == Aggregate::max);
    CHECK(columns.fields()[2].name == "assists");
    CHECK(columns.fields()[3].name == "longestShot");
    CHECK(columns.is_mixed());
    CHECK(value_text(columns.values(older)[1]) == "100");
    CHECK(is_none(columns.values(older)[2]));
    CHECK(is_none(columns.values(newest)[3]));
    CHECK(columns.find("damage-dealt") == 1);
    CHECK(columns.find("DAMAGE_DEALT") == 1);
    CHECK_FALSE(columns.find("damage"));
  }
}

TEST_SUITE("arenactl results: conditions") {
  TEST_CASE("each comparison of each kind of value") {
    ResultReader reader = reader_of<Battle>();
    ResultRow row = row_of_player(reader, "anna", [](Battle::Builder to) {
      to.setDamageDealt(100);
      to.setLongestShot(2.5);
      to.setRank(Rank::SERGEANT);
      to.setWon(true);
      to.setTank("Tiger");
      to.setTime(3);
    });
    row.seat = 4;
    row.arena_name = "duel-1";
    for (const char* holds : {"damageDealt=100",
                              "damage-dealt==100",
                              "damageDealt>=100",
                              "damageDealt<=100",
                              "damageDealt>99",
                              "damageDealt<100.5",
                              "damageDealt!=99",
                              "longestShot=2.5",
                              "longestShot>2",
                              "rank=sergeant",
                              "rank!=captain",
                              "rank>=1",
                              "rank<2",
                              "won=true",
                              "won=yes",
                              "won!=false",
                              "tank=Tiger",
                              "tank>Panther",
                              "player=anna",
                              "seat=4",
                              "seat<5",
                              "arena=duel-1",
                              "type=Battle",
                              "time=3",
                              "kills=0",
                              "clan=",
                              "at.x=0"}) {
      CAPTURE(holds);
      CHECK(met(holds, row));
    }
    for (const char* fails :
         {"damageDealt=99", "damageDealt>100", "damageDealt<100", "longestShot<2.5", "rank=captain", "rank>1", "won=false",
          "tank=tiger", "player=bob", "seat=5", "captured=0", "captured!=1", "nothing=1", "nothing!=1"}) {
      CAPTURE(fails);
      CHECK_FALSE(met(fails, row));
    }
  }

  TEST_CASE("what is no condition, and what cannot be compared") {
    for (const char* text : {"", "kills", "=3", "kills!3", "!=3", ">"}) {
      CAPTURE(text);
      const auto parsed = ResultCondition::parse(text);
      REQUIRE_FALSE(parsed);
      CHECK(parsed.error().code == ErrorCode::invalid);
    }
    ResultReader reader = reader_of<Battle>();
    const ResultRow row = row_of_player(reader, "anna", [](Battle::Builder) {});
    for (const char* text : {"kills=three", "won=maybe", "rank>=captain", "seat=x", "kills="}) {
      CAPTURE(text);
      const auto answer = ResultCondition::parse(text).value().is_met_by(row);
      REQUIRE_FALSE(answer);
      CHECK(answer.error().code == ErrorCode::invalid);
    }
  }
}

TEST_SUITE("arenactl results: groups") {
  TEST_CASE("by player, with what each field comes to") {
    ResultReader reader = reader_of<Battle>();
    ResultGroups groups("player");
    groups.add(row_of_player(reader, "bob", [](Battle::Builder to) { to.setDamageDealt(50); }));
    groups.add(row_of_player(reader, "anna", [](Battle::Builder to) {
      to.setDamageDealt(100);
      to.setTank("Tiger");
      to.setRank(Rank::SERGEANT);
      to.setWon(true);
      to.setLongestShot(1.5);
    }));
    groups.add(row_of_player(reader, "anna", [](Battle::Builder to) {
      to.setDamageDealt(200);
      to.setTank("Panther");
      to.setRank(Rank::CAPTAIN);
      to.setWon(true);
      to.setCheated(true);
    }));
    const auto sorted = groups.sorted("");
    REQUIRE(sorted);
    REQUIRE(sorted.value().size() == 2);
    const ResultGroup& anna = sorted.value()[0];
    CHECK(value_text(anna.key) == "anna");
    CHECK(anna.count == 2);
    Texts totals;
    for (const Total& total : anna.totals) totals.push_back(value_text(total.value()));
    CHECK(totals == Texts{"", "300", "1.5", "captain", "2", "true", "Tiger", "0", "false", "", "", "0", "0", "0", "", ""});
    CHECK(sorted.value()[1].count == 1);
    const auto by_damage = groups.sorted("damage-dealt");
    REQUIRE(by_damage);
    CHECK(value_text(by_damage.value()[0].key) == "anna");
    const auto by_count = groups.sorted("count");
    REQUIRE(by_count);
    CHECK(by_count.value()[0].count == 2);
    const auto by_nothing = groups.sorted("damageDelt");
    REQUIRE_FALSE(by_nothing);
    CHECK(by_nothing.error().message.find("did you mean 'damageDealt'") != std::string::npos);
  }

  TEST_CASE("none, one group of all, and arenas of one name") {
    CHECK(ResultGroups("player").sorted("").value().empty());
    CHECK(ResultGroups("").sorted("").value().empty());
    ResultReader reader = reader_of<Battle>();
    ResultGroups all("");
    ResultGroups by_arena("arena");
    ResultGroups by_field("rank");
    for (const char* id : {"01A", "01B", "01B"}) {
      ResultRow row =
          row_of_player(reader, "anna", [&](Battle::Builder to) { to.setRank(id[2] == 'A' ? Rank::CAPTAIN : Rank::RECRUIT); });
      row.arena = id;
      row.arena_name = "duel";
      all.add(row);
      by_arena.add(row);
      by_field.add(row);
    }
    ResultRow unread;
    all.add(unread);
    REQUIRE(all.sorted("").value().size() == 1);
    CHECK(all.sorted("").value()[0].count == 4);
    const auto arenas = by_arena.sorted("");
    REQUIRE(arenas.value().size() == 2);
    CHECK(arenas.value()[0].arena == "01A");
    CHECK(arenas.value()[1].count == 2);
    const auto ranks = by_field.sorted("");
    REQUIRE(ranks.value().size() == 2);
    CHECK(value_text(ranks.value()[0].key) == "recruit");
  }
}

// ---- The verb ----

namespace {

constexpr const char* kArena = "01J00000000000000000000000";

struct Stored {
  const char* player;
  uint64_t damage;
  uint64_t types = 1;
};

void write(const Stored& one, unsigned sequence, wire::StoredResult::Builder to) {
  to.setArena(kArena);
  to.setName("duel-1");
  to.setPlayer(one.player);
  to.setRecordedUnixMs(1'700'000'000'000 + sequence);
  to.setGame("tanks");
  to.setVersion("1.0");
  to.setTypes(one.types);
  auto result = to.initResult();
  result.setSequence(sequence);
  result.setSeat(sequence % 2);
  result.setType(capnp::typeId<Battle>());
  const std::string message = battle([&](Battle::Builder battle) {
    battle.setDamageDealt(one.damage);
    battle.setTank("Tiger\x1b");
  });
  result.setMessage({reinterpret_cast<const kj::byte*>(message.data()), message.size()});
}

// Answers with these results, oldest first, two in a page.
arenad::cli_test::Answer with_results(std::vector<Stored> all) {
  return [all = std::move(all)](Answering answering) {
    if (answering.request.isResultTypes()) {
      const std::string types = game_schema<Battle>();
      answering.reply.setResultTypes({reinterpret_cast<const kj::byte*>(types.data()), types.size()});
      return;
    }
    REQUIRE(answering.request.isResultPage());
    const auto query = answering.request.getResultPage();
    size_t left = query.getHasBefore() ? static_cast<size_t>(query.getBefore().getRow()) : all.size();
    auto page = answering.reply.initResultPage();
    const size_t count = std::min<size_t>(left, 2);
    auto results = page.initResults(static_cast<unsigned>(count));
    for (unsigned i = 0; i < count; ++i) {
      --left;
      write(all[left], static_cast<unsigned>(left), results[i]);
    }
    page.setMore(left > 0);
    page.initNext().setRow(static_cast<int64_t>(left));
  };
}

const std::vector<Stored> kThree{{"anna", 10}, {"bob", 20}, {"anna", 30}};

}  // namespace

TEST_SUITE("arenactl results") {
  TEST_CASE("of an arena: the fields by their names, in the order in which they came") {
    FakeDaemon daemon(with_results(kThree));
    const Ended ended = ask(daemon, {"results", "duel-1", "-o", "sequence,seat,player,damage-dealt,tank,captured"});
    CHECK(ended.err == "");
    CHECK(ended.code == 0);
    CHECK(ended.out ==
          "SEQUENCE  SEAT  PLAYER  DAMAGE-DEALT  TANK       CAPTURED\n"
          "       0     0  anna              10  Tiger\\x1b         -\n"
          "       1     1  bob               20  Tiger\\x1b         -\n"
          "       2     0  anna              30  Tiger\\x1b         -\n");
    CHECK(
        daemon.requests()[0].starts_with("resultPage = (arena = \"duel-1\", game = \"\", sinceUnixMs = 0, hasBefore = false"));
    const Ended usual = ask(daemon, {"results", "duel-1"});
    CHECK(usual.out.starts_with("SEQUENCE  SEAT  PLAYER  TEAM  DAMAGE-DEALT  LONGEST-SHOT  RANK     WON "));
  }

  TEST_CASE("as JSON: typed, with what it was before") {
    FakeDaemon daemon(with_results({{"anna", 10}}));
    const json answer = json::parse(ask(daemon, {"results", "duel-1", "--json"}).out);
    CHECK(answer["schema"] == 1);
    CHECK(answer["arena"] == "duel-1");
    CHECK(answer["looked_at"] == 1);
    CHECK(answer["cut_off"] == false);
    const json& one = answer["results"][0];
    CHECK(one["sequence"] == 0);
    CHECK(one["seat"] == 0);
    CHECK(one["type"].get<std::string>().starts_with("0x"));
    CHECK(one["message_hex"].get<std::string>().size() > 16);
    CHECK(one["type_name"] == "Battle");
    CHECK(one["player"] == "anna");
    CHECK(one["arena"] == kArena);
    CHECK(one["name"] == "duel-1");
    CHECK(one["game"] == "tanks");
    CHECK(one["version"] == "1.0");
    CHECK(one["recorded_unix_ms"] == 1'700'000'000'000);
    CHECK(one["fields"]["damageDealt"] == 10);
    CHECK(one["fields"]["rank"] == "recruit");
    CHECK(one["fields"]["won"] == false);
    CHECK(one["fields"]["places"] == json::array());
    CHECK(one["fields"]["captured"] == nullptr);
    CHECK(one["fields_error"] == nullptr);
  }

  TEST_CASE("results whose types nobody knows are there as bytes, and it is said") {
    FakeDaemon daemon(with_results({{"", 1, 0}}));
    const Ended ended = ask(daemon, {"results", "duel-1"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("SEQUENCE  SEAT  TYPE                BYTES  MESSAGE\n       0     0  0x"));
    CHECK(ended.err ==
          "arenactl: the fields of 1 results cannot be told: arenad does not know the types of the version that recorded it\n");
    const json answer = json::parse(ask(daemon, {"results", "duel-1", "--json"}).out);
    CHECK(answer["results"][0]["fields"] == nullptr);
    CHECK(answer["results"][0]["fields_error"].get<std::string>().starts_with("arenad does not know"));
  }

  TEST_CASE("of a game: newest first, some of them, and those for which a condition holds") {
    FakeDaemon daemon(with_results(kThree));
    const Texts columns{"-o", "player,damage-dealt", "--no-header"};
    const auto lines = [&](Texts arguments) {
      arguments.insert(arguments.begin(), {"results", "--game", "tanks"});
      arguments.insert(arguments.end(), columns.begin(), columns.end());
      return ask(daemon, arguments);
    };
    CHECK(lines({}).out == "anna  30\nbob   20\nanna  10\n");
    const Ended two = lines({"--limit", "2"});
    CHECK(two.out == "anna  30\nbob   20\n");
    CHECK(two.err == "arenactl: there are more: the newest 2 are shown (--limit)\n");
    CHECK(lines({"--limit", "3"}).err == "");
    CHECK(lines({"--where", "damageDealt>=20"}).out == "anna  30\nbob   20\n");
    CHECK(lines({"--where", "damageDealt>=20", "--where", "player=bob"}).out == "bob  20\n");
    CHECK(lines({"--where", "player=carl"}).out == "");
    CHECK(ask(daemon, {"results", "--where", "player=bob", "duel-1", "-o", "player", "--no-header"}).out == "bob\n");
    CHECK(lines({"--since", "1h"}).code == 0);
    CHECK(daemon.requests().back().find("sinceUnixMs = 0,") == std::string::npos);
    CHECK(ask(daemon, {"results", "--game", "tanks"}).out.starts_with("WHEN                      ARENA   SEAT  PLAYER  TEAM"));
  }

  TEST_CASE("added up") {
    FakeDaemon daemon(with_results(kThree));
    const Ended table = ask(daemon, {"results", "--game", "tanks", "--by", "player", "-o", "player,count,damage-dealt"});
    CHECK(table.out ==
          "PLAYER  COUNT  DAMAGE-DEALT\n"
          "anna        2            40\n"
          "bob         1            20\n");
    CHECK(table.err == "");
    CHECK(ask(daemon, {"results", "--game", "tanks", "--by", "seat", "--sort", "damageDealt", "-o", "seat,damage-dealt"}).out ==
          "SEAT  DAMAGE-DEALT\n   0            40\n   1            20\n");
    const Ended first =
        ask(daemon, {"results", "--game", "tanks", "--by", "player", "--limit", "1", "-o", "player", "--no-header"});
    CHECK(first.out == "anna\n");
    CHECK(first.err == "arenactl: there are more: the first 1 of 2 are shown (--limit)\n");
    CHECK(ask(daemon, {"results", "duel-1", "--aggregate", "-o", "count,damage-dealt"}).out ==
          "COUNT  DAMAGE-DEALT\n    3            60\n");

    const json answer = json::parse(ask(daemon, {"results", "--game", "tanks", "--by", "player", "--json"}).out);
    CHECK(answer["game"] == "tanks");
    CHECK(answer["by"] == "player");
    CHECK(answer["aggregates"]["damageDealt"] == "sum");
    CHECK_FALSE(answer["aggregates"].contains("team"));
    REQUIRE(answer["groups"].size() == 2);
    CHECK(answer["groups"][0]["key"] == "anna");
    CHECK(answer["groups"][0]["count"] == 2);
    CHECK(answer["groups"][0]["fields"]["damageDealt"] == 40);
    CHECK(answer["groups"][0]["fields"]["won"] == 0);
    CHECK(answer["looked_at"] == 3);
  }

  TEST_CASE("nothing to show is no error") {
    FakeDaemon daemon(with_results({}));
    const Ended ended = ask(daemon, {"results", "--game", "tanks", "-o", "damage-dealt"});
    CHECK(ended.code == 0);
    CHECK(ask(daemon, {"results", "--game", "tanks", "--by", "whatever"}).code == 0);
    CHECK(json::parse(ask(daemon, {"results", "duel-1", "--json"}).out)["results"] == json::array());
  }

  TEST_CASE("slips of the operator") {
    FakeDaemon daemon(with_results(kThree));
    const auto error_of = [&](Texts arguments) {
      arguments.insert(arguments.begin(), "results");
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 2);
      CHECK(ended.out == "");
      return ended.err;
    };
    CHECK(error_of({}) == "arenactl: either an arena or --game GAME is wanted\n");
    CHECK(error_of({"duel-1", "--game", "tanks"}) == "arenactl: either an arena or --game GAME is wanted\n");
    CHECK(error_of({"duel-1", "duel-2"}) != "");
    CHECK(error_of({"duel-1", "--where", "kills"}) ==
          "arenactl: --where: 'kills' is no condition such as kills>=3 or player=anna\n");
    CHECK(error_of({"duel-1", "--where", "kill=1"})
              .starts_with("arenactl: --where: nothing is called 'kill'; did you mean 'kills'?"));
    CHECK(error_of({"duel-1", "--where", "kills=many"}) == "arenactl: --where: kills is a number, and 'many' is not\n");
    CHECK(
        error_of({"duel-1", "--by", "playr"}).starts_with("arenactl: --by: nothing is called 'playr'; did you mean 'player'?"));
    CHECK(error_of({"duel-1", "--sort", "kills"}) == "arenactl: --sort goes with --by\n");
    CHECK(error_of({"duel-1", "--by", "player", "--sort", "kils"}).starts_with("arenactl: --sort: no field is called 'kils'"));
    CHECK(error_of({"duel-1", "--limit", "0"}).starts_with("arenactl: --limit: '0' is no number from 1 to "));
    CHECK(error_of({"duel-1", "-o", "damage"}).starts_with("arenactl: no column is called 'damage'"));
    CHECK(error_of({"duel-1", "--since", "yesterday"}).find("no duration") != std::string::npos);
  }

  TEST_CASE("there is an end to what is looked at") {
    // A daemon that always has more.
    FakeDaemon daemon([](Answering answering) {
      auto page = answering.reply.initResultPage();
      page.setMore(true);
    });
    const Ended ended = ask(daemon, {"results", "--game", "tanks"});
    CHECK(ended.code == 0);
    CHECK(ended.err == "arenactl: there are more than are looked at: these are of the newest 0; --since narrows it down\n");
    CHECK(json::parse(ask(daemon, {"results", "--game", "tanks", "--json"}).out)["cut_off"] == true);
  }
}
