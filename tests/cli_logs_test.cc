// arenactl logs and arenactl events against an arenad that is not there.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"

namespace {

using namespace arenad::cli_test;
using nlohmann::json;

namespace wire = arenad::wire;

Answer logs_answer() {
  return [](Answering answering) {
    auto logs = answering.reply.initLogs();
    logs.setBook(7);
    logs.setNext(2);
    auto lines = logs.initLines(2);
    lines[0].setNumber(1);
    lines[0].setAtUnixNs(1'700'000'000'123'456'789);
    lines[0].setSeverity("warning");
    lines[0].setArena("duel");
    lines[0].setSignature("SIGSEGV tanks.so+0x10");
    lines[0].setText("its worker died");
    lines[1].setNumber(2);
    lines[1].setAtUnixNs(1'700'000'000'124'000'000);
    lines[1].setSeverity("info");
    lines[1].setArena("duel");
    lines[1].setGame("tanks");
    lines[1].setEpoch(3);
    lines[1].setFrame(17);
    lines[1].setPid(4711);
    lines[1].setSource("worker");
    lines[1].setText("what the game says");
  };
}

void write_event(wire::LifecycleEvent::Builder event, uint64_t number) {
  event.setNumber(number);
  event.setAtUnixMs(1'700'000'000'123);
  event.setType("died");
  event.setArena("0123");
  event.setName("duel");
  event.setGame("tanks");
  event.setEpoch(3);
  event.setFrame(17);
  auto details = event.initDetails(2);
  details[0].setKey("cause");
  details[0].setValue("signal=SEGV \x1b[2J");
  details[1].setKey("crash");
  details[1].setValue("4");
}

// Has numbers 5 to 7, two in a message.
Answer events_answer() {
  return [](Answering answering) {
    const auto query = answering.request.getEvents();
    const uint64_t first = std::max<uint64_t>(query.getHasAfter() ? query.getAfter() + 1 : 7, 5);
    const uint64_t last = std::min<uint64_t>(first + 1, 7);
    auto events = answering.reply.initEvents();
    auto list = events.initEvents(first > 7 ? 0 : static_cast<unsigned>(last - first + 1));
    for (unsigned i = 0; i < list.size(); ++i) write_event(list[i], first + i);
    events.setNext(last);
    events.setOldest(5);
    events.setNewest(7);
    if (query.getWantsUnknown() && query.getSelection().getArenas().size() == 2) events.initUnknown(1).set(0, "no\nbody");
  };
}

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE("logs: who has said what") {
  FakeDaemon daemon(logs_answer());
  const Ended ended = ask(daemon, {"logs", "-n", "2", "duel"});
  CHECK(ended.code == 0);
  CHECK(ended.err == "");
  CHECK(ended.out ==
        "2023-11-14T22:13:20.123Z warning duel: its worker died\n"
        "2023-11-14T22:13:20.124Z info    duel[4711] frame 17: what the game says\n");
  CHECK(daemon.requests() ==
        Texts{"logs = (selection = (arenas = [\"duel\"], all = false, finished = false), limit = 2, book = 0, "
              "after = 0, before = 0)"});
}

TEST_CASE("logs: as JSON, an object for each line") {
  FakeDaemon daemon(logs_answer());
  const std::vector<json> lines = lines_of(ask(daemon, {"logs", "--json"}).out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == json{{"schema", 1},
                         {"number", 1},
                         {"at_unix_ns", 1'700'000'000'123'456'789},
                         {"severity", "warning"},
                         {"source", "arenad"},
                         {"arena", "duel"},
                         {"signature", "SIGSEGV tanks.so+0x10"},
                         {"text", "its worker died"}});
  CHECK(lines[1] == json{{"schema", 1},
                         {"number", 2},
                         {"at_unix_ns", 1'700'000'000'124'000'000},
                         {"severity", "info"},
                         {"source", "worker"},
                         {"arena", "duel"},
                         {"game", "tanks"},
                         {"epoch", 3},
                         {"frame", 17},
                         {"pid", 4711},
                         {"text", "what the game says"}});
}

TEST_CASE("logs: what does not fit into one message comes with the next") {
  // Has numbers 1 to 7, three in a message.
  FakeDaemon daemon([](Answering answering) {
    const auto query = answering.request.getLogs();
    const uint64_t end = query.getBook() == 7 && query.getBefore() != 0 ? query.getBefore() : 8;
    const uint64_t first = std::max<uint64_t>(end - std::min<uint64_t>(end - 1, std::min<uint64_t>(query.getLimit(), 3)), 1);
    auto logs = answering.reply.initLogs();
    logs.setBook(7);
    logs.setNext(7);
    logs.setOlderLeft(first > 1 && query.getLimit() > 3);
    auto lines = logs.initLines(static_cast<unsigned>(end - first));
    for (unsigned i = 0; i < lines.size(); ++i) lines[i].setNumber(first + i);
  });
  const auto numbers = [&](const char* limit) {
    std::vector<uint64_t> found;
    for (const json& line : lines_of(ask(daemon, {"logs", "--json", "-n", limit}).out)) found.push_back(line["number"]);
    return found;
  };
  CHECK(numbers("100") == std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7});
  CHECK(numbers("5") == std::vector<uint64_t>{3, 4, 5, 6, 7});
  CHECK(numbers("3") == std::vector<uint64_t>{5, 6, 7});
  CHECK(daemon.requests().size() == 3 + 2 + 1);
}

TEST_CASE("logs and events: more than a request takes is a matter of the command line") {
  FakeDaemon daemon(logs_answer());
  std::vector<std::string> arguments{"logs"};
  for (int i = 0; i < 1001; ++i) arguments.push_back("a" + std::to_string(i));
  Ended ended = ask(daemon, arguments);
  CHECK(ended.code == 2);
  CHECK(ended.err == "arenactl: 1001 arenas were given, and a request takes no more than 1000\n");
  ended = ask(daemon, {"events", std::string(300, 'x')});
  CHECK(ended.code == 2);
  arguments[0] = "stop";
  arguments.emplace_back("--dry-run");
  CHECK(ask(daemon, arguments).code == 2);
  CHECK(daemon.requests().empty());
}

TEST_CASE("logs: what is wrong is a matter of the command line") {
  FakeDaemon daemon(logs_answer());
  CHECK(ask(daemon, {"logs", "-n", "10001"}).err == "arenactl: --lines: '10001' is no number from 1 to 10000\n");
  CHECK(ask(daemon, {"logs", "--all", "duel"}).code == 2);
  CHECK(daemon.requests().empty());
}

TEST_CASE("events: a line for each, in which nothing can do anything to a terminal") {
  FakeDaemon daemon(events_answer());
  const Ended ended = ask(daemon, {"events", "-n", "1"});
  CHECK(ended.code == 0);
  CHECK(ended.err == "");
  CHECK(ended.out ==
        "7 2023-11-14T22:13:20.123Z died duel game=tanks epoch=3 frame=17 cause=\"signal=SEGV \\x1b[2J\" crash=4\n");
}

TEST_CASE("events: all that follow a number come, message after message, and what is missing is said") {
  FakeDaemon daemon(events_answer());
  const Ended ended = ask(daemon, {"events", "--json", "--since", "2"});
  CHECK(ended.code == 0);
  CHECK(ended.err == "arenactl: events 3 to 4 are not kept any more\n");
  const std::vector<json> lines = lines_of(ended.out);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == json{{"schema", 1}, {"gap", {{"from", 3}, {"to", 4}}}});
  for (size_t i = 1; i < lines.size(); ++i) CHECK(lines[i]["number"] == 4 + i);
  CHECK(lines[1] == json{{"schema", 1},
                         {"number", 5},
                         {"at_unix_ms", 1'700'000'000'123},
                         {"type", "died"},
                         {"arena", "0123"},
                         {"name", "duel"},
                         {"game", "tanks"},
                         {"epoch", 3},
                         {"frame", 17},
                         {"details", {{"cause", "signal=SEGV \x1b[2J"}, {"crash", "4"}}}});
}

TEST_CASE("events: numbers that begin anew are an error") {
  FakeDaemon daemon(events_answer());
  const Ended ended = ask(daemon, {"events", "--since", "8"});
  CHECK(ended.code == 1);
  CHECK(ended.err ==
        "arenactl: the events are numbered anew: the newest is 7, and 8 was seen before; arenad has another database now\n");
}

TEST_CASE("events: an arena that is not there is an error beside what there is, and a note for who follows") {
  const std::string message = "no events of no\\x0abody are kept, and no such arena is there";
  FakeDaemon daemon(events_answer());
  const Ended ended = ask(daemon, {"events", "--json", "duel", "no\nbody"});
  CHECK(ended.code == 4);
  CHECK(ended.err == "arenactl: " + message + "\n");
  const std::vector<json> lines = lines_of(ended.out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["number"] == 7);
  CHECK(lines[1]["error"]["code"] == "unknown_arena");
  const Ended followed = ask(daemon, {"events", "--json", "-f", "--timeout", "1s", "duel", "no\nbody"});
  CHECK(followed.code == 0);
  CHECK(followed.err == "arenactl: " + message + "\n");
  CHECK(lines_of(followed.out).size() == 1);
}

TEST_CASE("events: who follows hears each once, until the time is over") {
  FakeDaemon daemon(events_answer());
  const Ended ended = ask(daemon, {"events", "--json", "--follow", "--since", "4", "--timeout", "1s"});
  CHECK(ended.code == 0);
  const std::vector<json> lines = lines_of(ended.out);
  REQUIRE(lines.size() == 3);
  for (size_t i = 0; i < lines.size(); ++i) CHECK(lines[i]["number"] == 5 + i);
  CHECK(daemon.requests().size() >= 3);
}
