// arenactl quarantine: what it makes of replies, and the real program against an arenad that is not there.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "cli/hex_dump.h"
#include "cli/quarantine_json.h"
#include "cli/quarantine_page.h"
#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"
#include "tests/cli_sample_status.h"
#include "tests/support/game_schema.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad::cli_test;
using arenad::cli::Colour;
using arenad::cli::hex_dump;
using arenad::cli::reading_of;
using arenad::cli::render_quarantined_page;
using arenad::test::Chat;
using arenad::test::game_schema;
using arenad::test::Point;
using arenad::test::segment_of;
using nlohmann::json;

namespace wire = arenad::wire;

capnp::Data::Reader data_of(const std::string& bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

void fill_event(wire::QuarantinedEvent::Builder event, uint64_t id, uint64_t type) {
  event.setId(id);
  event.setArena(kSampleId);
  event.setName("duel-1");
  event.setGame("tanks");
  event.setSeat(2);
  event.setPlayer("ann");
  event.setChannel(4);
  event.setSequence(12);
  event.setType(type);
  event.setBytes(16);
  event.setFrame(6060);
  event.setAtUnixMs(kNowUnixMs + 67);
  event.setIncident(17);
}

std::string point_message() {
  capnp::MallocMessageBuilder message;
  auto point = message.initRoot<Point>();
  point.setX(-3);
  point.setY(4);
  return segment_of(message);
}

enum class Types { known, unknown, of_another_game };

void fill_detail(wire::QuarantinedDetail::Builder detail, Types types) {
  fill_event(detail.initEvent(), 5, capnp::typeId<Point>());
  detail.setMessage(data_of(point_message()));
  if (types == Types::known) detail.setSchema(data_of(game_schema<Point>()));
  if (types == Types::of_another_game) detail.setSchema(data_of(game_schema<Chat>()));
}

std::string page_of(Types types) {
  capnp::MallocMessageBuilder message;
  auto detail = message.initRoot<wire::QuarantinedDetail>();
  fill_detail(detail, types);
  return render_quarantined_page(detail.asReader(), reading_of(detail.asReader()), Colour::none);
}

Answer list_answer(unsigned count) {
  return [count](Answering answering) {
    auto list = answering.reply.initQuarantine(count);
    for (unsigned i = 0; i < count; ++i) fill_event(list[i], count - i, 0x1122334455667788);
  };
}

Answer detail_answer(Types types) {
  return [types](Answering answering) { fill_detail(answering.reply.initQuarantined(), types); };
}

// As many items as ids, the last one an error if that is wanted.
Answer outcome_answer(bool last_fails = false) {
  return [last_fails](Answering answering) {
    const auto ids =
        answering.request.isQuarantineRetry() ? answering.request.getQuarantineRetry() : answering.request.getQuarantineDrop();
    auto items = answering.reply.initItems(ids.size());
    for (unsigned i = 0; i < ids.size(); ++i) {
      items[i].setId(std::to_string(ids[i]));
      items[i].setName("duel-1");
      items[i].setOk("seen to");
    }
    if (!last_fails) return;
    auto error = items[ids.size() - 1].initError();
    error.setCode(wire::FailureCode::REFUSED);
    error.setMessage("the arena has ended");
  };
}

const std::string kFacts =
    "duel-1 5: withheld\n"
    "  when        2026-01-02T03:04:05.067Z\n"
    "  arena       01JD3M7S9XQ2V8T4KZ5W6Y7R0B\n"
    "  game        tanks\n"
    "  frame       6060\n"
    "  sent by     ann, seat 2\n"
    "  event       12 of channel 4\n";
const std::string kDecidedBy = "  decided by  a death: see arenactl crashes show 17\n\n";
const std::string kDump = "00000000: 0000 0000 0100 0000 fdff ffff 0400 0000  ................\n";

json event_as_json(uint64_t id, const std::string& type) {
  return {{"id", id},     {"arena", kSampleId}, {"name", "duel-1"}, {"game", "tanks"},
          {"seat", 2},    {"player", "ann"},    {"channel", 4},     {"sequence", 12},
          {"type", type}, {"bytes", 16},        {"frame", 6060},    {"at", "2026-01-02T03:04:05.067Z"},
          {"crash", 17}};
}

}  // namespace

TEST_SUITE("arenactl: events in quarantine") {
  TEST_CASE("the page of one whose types are known") {
    const std::string page = page_of(Types::known);
    CHECK(page.starts_with(kFacts + "  type        Point 0x"));
    CHECK(page.ends_with(", 16 bytes\n" + kDecidedBy + "(x = -3, y = 4)\n"));
  }

  TEST_CASE("the page of one whose types are not known, or those of another game") {
    const std::string unknown = page_of(Types::unknown);
    CHECK(unknown.starts_with(kFacts + "  type        0x"));
    CHECK(unknown.ends_with(kDecidedBy + "arenad does not know the types of the game now\n" + kDump));
    const std::string other = page_of(Types::of_another_game);
    CHECK(contains(other, kDecidedBy + "cannot be shown as text: the types of the game: 0x"));
    CHECK(other.ends_with(" is not among them\n" + kDump));
  }

  TEST_CASE("bytes in hexadecimal") {
    const auto dump = [](const std::string& bytes) {
      return hex_dump({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
    };
    CHECK(dump("") == "");
    CHECK(dump("hello\n") == "00000000: 6865 6c6c 6f0a                           hello.\n");
    CHECK(dump("0123456789abcdef\x1b\xff~") ==
          "00000000: 3031 3233 3435 3637 3839 6162 6364 6566  0123456789abcdef\n"
          "00000010: 1bff 7e                                  ..~\n");
  }
}

TEST_SUITE("arenactl quarantine") {
  TEST_CASE("the list, with and without the word") {
    FakeDaemon daemon(list_answer(2));
    const Ended ended = ask(daemon, {"quarantine"});
    CHECK(ended.code == 0);
    CHECK(ended.out ==
          "ID  ARENA   WHEN                      FRAME  SEAT  PLAYER  TYPE                BYTES  CRASH\n"
          " 2  duel-1  2026-01-02T03:04:05.067Z   6060     2  ann     0x1122334455667788     16     17\n"
          " 1  duel-1  2026-01-02T03:04:05.067Z   6060     2  ann     0x1122334455667788     16     17\n");
    CHECK(ended.err == "");
    CHECK(ask(daemon, {"quarantine", "list"}).out == ended.out);
    CHECK(ask(daemon, {"quarantine", "duel-1", "ladder-*"}).code == 0);
    CHECK(ask(daemon, {"quarantine", "list", "duel-1"}).code == 0);
    CHECK(ask(daemon, {"quarantine", "list", "--", "drop"}).code == 0);
    CHECK(daemon.requests() == Texts{"quarantine = (arenas = [], all = true, finished = false)",
                                     "quarantine = (arenas = [], all = true, finished = false)",
                                     "quarantine = (arenas = [\"duel-1\", \"ladder-*\"], all = false, finished = false)",
                                     "quarantine = (arenas = [\"duel-1\"], all = false, finished = false)",
                                     "quarantine = (arenas = [\"drop\"], all = false, finished = false)"});
    CHECK(
        json::parse(ask(daemon, {"quarantine", "--json"}).out) ==
        json{{"schema", 1}, {"quarantine", {event_as_json(2, "0x1122334455667788"), event_as_json(1, "0x1122334455667788")}}});
  }

  TEST_CASE("an empty list, and a verb that was spelt wrongly") {
    FakeDaemon empty(list_answer(0));
    CHECK(ask(empty, {"quarantine"}).err == "arenactl: nothing is in quarantine\n");
    CHECK(ask(empty, {"quarantine", "dorp", "5"}).err == "arenactl: nothing is in quarantine; did you mean 'drop'?\n");
    FakeDaemon knows_none(error_answer(wire::FailureCode::UNKNOWN_ARENA, "no arena rety"));
    const Ended ended = ask(knows_none, {"quarantine", "rety", "5"});
    CHECK(ended.code == 4);
    CHECK(ended.err == "arenactl: no arena rety; did you mean 'retry'?\n");
  }

  TEST_CASE("one of them") {
    FakeDaemon daemon(detail_answer(Types::known));
    const Ended ended = ask(daemon, {"quarantine", "show", "5"});
    CHECK(ended.code == 0);
    CHECK(ended.out == page_of(Types::known));
    const json event = json::parse(ask(daemon, {"quarantine", "show", "5", "--json"}).out)["quarantined"];
    CHECK(event["id"] == 5);
    CHECK(event["message_hex"] == "0000000001000000fdffffff04000000");
    CHECK(event["type_name"] == "Point");
    CHECK(event["text"] == "(x = -3, y = 4)");
    CHECK(event["text_error"].is_null());
    CHECK(daemon.requests() == Texts{"quarantined = 5", "quarantined = 5"});
  }

  TEST_CASE("one that cannot be shown as text is no failure") {
    FakeDaemon daemon(detail_answer(Types::of_another_game));
    const Ended ended = ask(daemon, {"quarantine", "show", "5"});
    CHECK(ended.code == 0);
    CHECK(ended.out == page_of(Types::of_another_game));
    const json event = json::parse(ask(daemon, {"quarantine", "show", "5", "--json"}).out)["quarantined"];
    CHECK(event["text"].is_null());
    CHECK(event["text_error"].get<std::string>().ends_with("is not among them"));
    FakeDaemon unknown(detail_answer(Types::unknown));
    CHECK(json::parse(ask(unknown, {"quarantine", "show", "5", "--json"}).out)["quarantined"]["text_error"].is_null());
  }

  TEST_CASE("retry and drop: each event has its line, and the worst code counts") {
    FakeDaemon daemon(outcome_answer());
    CHECK(ask(daemon, {"quarantine", "retry", "5", "6", "5"}).out == "5 (duel-1): seen to\n6 (duel-1): seen to\n");
    CHECK(ask(daemon, {"quarantine", "drop", "5"}).out == "5 (duel-1): seen to\n");
    CHECK(ask(daemon, {"quarantine", "drop", "5", "6", "--yes"}).code == 0);
    CHECK(json::parse(ask(daemon, {"quarantine", "drop", "5", "--json"}).out) ==
          json{{"schema", 1}, {"items", {{{"id", 5}, {"name", "duel-1"}, {"ok", "seen to"}}}}});
    CHECK(daemon.requests() ==
          Texts{"quarantineRetry = [5, 6]", "quarantineDrop = [5]", "quarantineDrop = [5, 6]", "quarantineDrop = [5]"});
    FakeDaemon refusing(outcome_answer(true));
    const Ended ended = ask(refusing, {"quarantine", "retry", "5", "6"});
    CHECK(ended.code == 6);
    CHECK(ended.out == "5 (duel-1): seen to\n");
    CHECK(ended.err == "arenactl: 6 (duel-1): the arena has ended\n");
  }

  TEST_CASE("several are thrown away only with --yes where nobody can be asked") {
    FakeDaemon daemon(outcome_answer());
    const Ended ended = ask(daemon, {"quarantine", "drop", "5", "6"});
    CHECK(ended.code == 2);
    CHECK(contains(ended.err, "give --yes too"));
    CHECK(daemon.requests().empty());
    const Ended no = run_at_terminal({"--socket", daemon.socket_path(), "quarantine", "drop", "5", "6"}, "n\n");
    CHECK(no.code == 1);
    CHECK(daemon.requests().empty());
    const Ended yes = run_at_terminal({"--socket", daemon.socket_path(), "quarantine", "drop", "5", "6"}, "y\n");
    CHECK(yes.code == 0);
    CHECK(yes.out.starts_with("Really throw away 2 events at " + daemon.socket_path() + "? [y/N] 5 (duel-1): seen to\n"));
    CHECK(daemon.requests().size() == 1);
  }

  TEST_CASE("wrong arguments are found before arenad is asked") {
    FakeDaemon daemon(outcome_answer());
    for (const Texts& arguments : {Texts{"quarantine", "show"}, Texts{"quarantine", "retry"}, Texts{"quarantine", "drop"},
                                   Texts{"quarantine", "show", "0"}, Texts{"quarantine", "retry", "5", "x"},
                                   Texts{"quarantine", "drop", "-1"}, Texts{"quarantine", "duel-1", "drop", "5"},
                                   Texts{"quarantine", "--all", "drop", "5"}, Texts{"quarantine", "list", "duel-1", "--all"}}) {
      CAPTURE(arguments[1]);
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 2);
      CHECK(ended.out == "");
      CHECK(ended.err.starts_with("arenactl: "));
    }
    CHECK(daemon.requests().empty());
  }

  TEST_CASE("help on the verb and on the verbs within it") {
    const Ended outer = run({"quarantine", "--help"});
    CHECK(outer.code == 0);
    for (const char* verb : {"list", "show", "retry", "drop"}) {
      CHECK(contains(outer.out, std::string("\n  ") + verb + "  "));
      const Ended inner = run({"quarantine", verb, "--help"});
      CHECK(inner.code == 0);
      CHECK(contains(inner.out, std::string("Usage: arenactl quarantine ") + verb + " "));
      CHECK(contains(inner.out, std::string("Examples:\n  arenactl quarantine ") + verb));
    }
  }
}
