// arenactl crashes: what it makes of reports, and the real program against an arenad that is not there.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include <capnp/message.h>
#include <capnp/schema.h>
#include <doctest/doctest.h>

#include "cli/crash_json.h"
#include "cli/crash_page.h"
#include "cli/id_argument.h"
#include "cli/incident_kind.h"
#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"
#include "tests/cli_sample_status.h"

namespace {

using namespace arenad::cli_test;
using arenad::cli::Colour;
using arenad::cli::crash_json;
using arenad::cli::crash_table;
using arenad::cli::parse_id;
using arenad::cli::parse_ids;
using arenad::cli::render_crash_page;
using arenad::cli::StackSymbols;
using nlohmann::json;

namespace wire = arenad::wire;

void fill_incident(wire::Incident::Builder incident, uint64_t id) {
  incident.setId(id);
  incident.setArena(kSampleId);
  incident.setName("duel-1");
  incident.setGame("tanks");
  incident.setGameVersion("1.2.0");
  incident.setBuildId("00c0ffee");
  incident.setEpoch(3);
  incident.setFrame(6060);
  incident.setAtUnixMs(kNowUnixMs + 67);
  incident.setKind(wire::IncidentKind::CRASH);
  incident.setCause("signal=SEGV, address 0x10 is not mapped");
  incident.setSignal(11);
  incident.setExitCode(-1);
  incident.setAddress(0x10);
  incident.setHasAddress(true);
  incident.setPid(4242);
  incident.setPhase("applying");
  incident.setChannel(4);
  incident.setSequence(12);
  incident.setPlayer("ann");
  incident.setQuarantined(5);
  incident.setRecoveryMs(2.5);
  incident.setRung("newest snapshot");
  incident.setReplayedFrames(12);
  incident.setReplayedEvents(300);
  incident.setTicksLost(3);
  incident.setDetectMs(0.75);
  incident.setLastSign(wire::LastSign::NOTE);
  incident.setHeardNs(123'456'789'012);
  incident.setStartMs(0.5);
  incident.setLoadMs(0.75);
  incident.setReplayMs(1.25);
}

void fill_frame(wire::StackFrame::Builder frame, uint64_t address, const char* object, uint64_t offset) {
  frame.setAddress(address);
  frame.setObject(object);
  frame.setBuildId("00c0ffee");
  frame.setOffset(offset);
}

void fill_crash(wire::Crash::Builder crash) {
  fill_incident(crash.initIncident(), 17);
  auto stack = crash.initStack(3);
  fill_frame(stack[0], 0x7f0000001234, "/srv/games/tanks.so", 0x1234);
  fill_frame(stack[1], 0x7f0000002000, "/srv/games/tanks.so", 0x2000);
  stack[2].setAddress(7);
}

class SampleCrash {
 public:
  SampleCrash() { fill_crash(crash_); }
  [[nodiscard]] wire::Crash::Builder builder() { return crash_; }
  [[nodiscard]] std::string page(const StackSymbols* symbols = nullptr) {
    return render_crash_page(crash_.asReader(), symbols, Colour::none);
  }
  [[nodiscard]] json parsed(const StackSymbols* symbols = nullptr) {
    return json::parse(crash_json(crash_.asReader(), symbols));
  }

 private:
  capnp::MallocMessageBuilder message_;
  wire::Crash::Builder crash_ = message_.initRoot<wire::Crash>();
};

StackSymbols some_symbols() {
  StackSymbols symbols;
  symbols.places.resize(3);
  symbols.places[0] = {"tanks::Battle::fire(int)", "battle.cc", 120};
  symbols.places[1] = {"main", "", 0};
  symbols.problems = {"another file"};
  return symbols;
}

Answer crashes_answer(unsigned count) {
  return [count](Answering answering) {
    auto list = answering.reply.initCrashes(count);
    for (unsigned i = 0; i < count; ++i) fill_incident(list[i], count - i);
  };
}

Answer crash_answer() {
  return [](Answering answering) { fill_crash(answering.reply.initCrash()); };
}

const json kIncident{{"id", 17},
                     {"arena", kSampleId},
                     {"name", "duel-1"},
                     {"game", "tanks"},
                     {"game_version", "1.2.0"},
                     {"build_id", "00c0ffee"},
                     {"epoch", 3},
                     {"frame", 6060},
                     {"at", "2026-01-02T03:04:05.067Z"},
                     {"kind", "crash"},
                     {"cause", "signal=SEGV, address 0x10 is not mapped"},
                     {"signal", 11},
                     {"exit_code", nullptr},
                     {"address", "0x10"},
                     {"pid", 4242},
                     {"phase", "applying"},
                     {"event", {{"channel", 4}, {"sequence", 12}, {"player", "ann"}}},
                     {"took_ms", nullptr},
                     {"detect_ms", 0.75},
                     {"last_sign", "note"},
                     {"heard_monotonic_ns", 123'456'789'012},
                     {"recovery",
                      {{"ms", 2.5},
                       {"start_ms", 0.5},
                       {"load_ms", 0.75},
                       {"replay_ms", 1.25},
                       {"rung", "newest snapshot"},
                       {"replayed_frames", 12},
                       {"replayed_events", 300},
                       {"ticks_lost", 3}}},
                     {"overtaken_by", nullptr},
                     {"quarantined", 5}};

}  // namespace

TEST_SUITE("arenactl: crash reports") {
  TEST_CASE("the table") {
    capnp::MallocMessageBuilder message;
    auto incidents = message.initRoot<wire::Reply>().initCrashes(2);
    fill_incident(incidents[0], 17);
    fill_incident(incidents[1], 9);
    incidents[1].setKind(wire::IncidentKind::OUT_OF_MEMORY);
    incidents[1].setCause("signal=KILL");
    incidents[1].setChannel(0);
    incidents[1].setQuarantined(0);
    incidents[1].setRecoveryMs(0);
    CHECK(crash_table(incidents.asReader()).text(Colour::none, arenad::cli::Header::shown) ==
          "ID  ARENA   WHEN                      EPOCH  FRAME  KIND           CAUSE                                    EVENT   "
          "   QUARANTINED  RECOVERY  TICKS-LOST\n"
          "17  duel-1  2026-01-02T03:04:05.067Z      3   6060  crash          signal=SEGV, address 0x10 is not mapped  12 of "
          "ann            5     2.5ms           3\n"
          " 9  duel-1  2026-01-02T03:04:05.067Z      3   6060  out_of_memory  signal=KILL                              -       "
          "             -         -           -\n");
  }

  TEST_CASE("the page of one") {
    CHECK(SampleCrash().page() ==
          "duel-1 17: crash\n"
          "  cause       signal=SEGV, address 0x10 is not mapped\n"
          "  when        2026-01-02T03:04:05.067Z\n"
          "  arena       01JD3M7S9XQ2V8T4KZ5W6Y7R0B\n"
          "  game        tanks, version 1.2.0, build id 00c0ffee\n"
          "  process     pid 4242, epoch 3\n"
          "  frame       6060, applying\n"
          "  signal      11 (SIGSEGV), address 0x10\n"
          "  event       12 of channel 4, sent by ann\n"
          "  detected    750us after it wrote down its end\n"
          "  recovery    2.5ms from the newest snapshot: 12 frames and 300 events run again, 3 ticks lost\n"
          "  of that     500us to start a successor, 750us to load, 1.2ms to replay\n"
          "  quarantine  the event is withheld: see arenactl quarantine show 5\n"
          "\n"
          "#0 0x00007f0000001234 tanks.so+0x1234\n"
          "#1 0x00007f0000002000 tanks.so+0x2000\n"
          "#2 0x0000000000000007 ?\n"
          "\n"
          "FILE                 BUILD-ID\n"
          "/srv/games/tanks.so  00c0ffee\n");
  }

  TEST_CASE("what is not known of a recovery, because an earlier arenad has written the report, is not told") {
    SampleCrash sample;
    auto incident = sample.builder().getIncident();
    incident.setDetectMs(0);
    incident.setLastSign(wire::LastSign::UNKNOWN);
    incident.setHeardNs(0);
    incident.setStartMs(0);
    incident.setLoadMs(0);
    incident.setReplayMs(0);
    CHECK_FALSE(contains(sample.page(), "detected"));
    CHECK_FALSE(contains(sample.page(), "of that"));
    CHECK(contains(sample.page(), "\n  recovery    2.5ms from the newest snapshot"));
    const json crash = sample.parsed()["crash"];
    for (const char* key : {"detect_ms", "last_sign", "heard_monotonic_ns"}) CHECK(crash[key].is_null());
    for (const char* key : {"start_ms", "load_ms", "replay_ms"}) CHECK(crash["recovery"][key].is_null());
    CHECK(crash["recovery"]["ms"] == 2.5);
  }

  TEST_CASE("a recovery that was overtaken by the next death names it") {
    SampleCrash sample;
    auto incident = sample.builder().getIncident();
    incident.setRecoveryMs(0);
    incident.setOvertakenBy(18);
    CHECK(contains(sample.page(), "\n  recovery    overtaken by the next death: see arenactl crashes show 18\n"));
    CHECK(sample.parsed()["crash"]["recovery"].is_null());
    CHECK(sample.parsed()["crash"]["overtaken_by"] == 18);
  }

  TEST_CASE("where the game was in its own language stands above the native stack") {
    SampleCrash sample;
    auto crash = sample.builder();
    auto script = crash.initScript(2);
    script.set(0, "native code, holds the interpreter's lock");
    script.set(1, "aim (turret.script:31)\x1b[2J");
    crash.setScriptSource(wire::ScriptSource::STACK);
    CHECK(contains(sample.page(),
                   "\n\nwhere the game was in its own language, innermost call first:\n"
                   "  native code, holds the interpreter's lock\n"
                   "  aim (turret.script:31)\\x1b[2J\n"
                   "\n#0 0x00007f0000001234 tanks.so+0x1234\n"));
    CHECK(sample.parsed()["crash"]["script_source"] == "stack");
    CHECK(sample.parsed()["crash"]["script"][0] == "native code, holds the interpreter's lock");
    CHECK(sample.parsed()["crash"]["script"].size() == 2);
    crash.setScriptSource(wire::ScriptSource::ERROR);
    CHECK(contains(sample.page(), "\n\nwhere the error was raised, innermost call first:\n"));
    CHECK(sample.parsed()["crash"]["script_source"] == "error");
  }

  TEST_CASE("the page with symbols, as far as there are any") {
    const StackSymbols symbols = some_symbols();
    const std::string page = SampleCrash().page(&symbols);
    CHECK(contains(page, "\n#0 0x00007f0000001234 tanks.so+0x1234 tanks::Battle::fire(int) battle.cc:120\n"));
    CHECK(contains(page, "\n#1 0x00007f0000002000 tanks.so+0x2000 main\n"));
    CHECK(contains(page, "\n#2 0x0000000000000007 ?\n"));
  }

  TEST_CASE("the page of a worker that left no stack, and of a frame that was slow") {
    SampleCrash sample;
    auto crash = sample.builder();
    crash.initStack(0);
    auto incident = crash.getIncident();
    incident.setKind(wire::IncidentKind::EXIT);
    incident.setSignal(0);
    incident.setExitCode(3);
    incident.setChannel(0);
    incident.setQuarantined(0);
    incident.setDetectMs(0);
    incident.setRecoveryMs(0);
    CHECK(contains(sample.page(), "\n  exit code   3\n\nno stack: the worker could not leave one\n"));
    CHECK_FALSE(contains(sample.page(), "event"));
    incident.setKind(wire::IncidentKind::SLOW);
    incident.setExitCode(-1);
    incident.setTookMs(250);
    CHECK(contains(sample.page(), "\n  ran for     250ms\n"));
    CHECK_FALSE(contains(sample.page(), "exit code"));
  }

  TEST_CASE("nothing in a report acts on the terminal") {
    SampleCrash sample;
    auto crash = sample.builder();
    auto incident = crash.getIncident();
    incident.setPlayer("\x1b[2J");
    incident.setCause("\x1b[2J");
    incident.setPhase("\x1b[2J");
    incident.setSignal(UINT32_MAX);
    incident.setAtUnixMs(INT64_MAX);
    crash.getStack()[0].setObject("\x1b[2J");
    const StackSymbols symbols{{arenad::cli::SourcePlace{"\x1b[2J", "\x1b[2J", 1}, {}, {}}, {}};
    CHECK_FALSE(contains(sample.page(&symbols), "\x1b"));
  }

  TEST_CASE("as JSON") {
    json expected = kIncident;
    expected["script_source"] = nullptr;
    expected["script"] = json::array();
    expected["stack"] = json::array();
    for (const auto& [address, offset] : {std::pair{"0x7f0000001234", "0x1234"}, std::pair{"0x7f0000002000", "0x2000"}}) {
      expected["stack"].push_back(
          {{"address", address}, {"object", "/srv/games/tanks.so"}, {"build_id", "00c0ffee"}, {"offset", offset}});
    }
    expected["stack"].push_back({{"address", "0x7"}, {"object", ""}, {"build_id", ""}, {"offset", "0x0"}});
    CHECK(SampleCrash().parsed() == json{{"schema", 1}, {"crash", expected}});

    const StackSymbols symbols = some_symbols();
    const json with_symbols = SampleCrash().parsed(&symbols);
    CHECK(with_symbols["symbol_problems"] == json{"another file"});
    CHECK(with_symbols["crash"]["stack"][0]["function"] == "tanks::Battle::fire(int)");
    CHECK(with_symbols["crash"]["stack"][0]["line"] == 120);
    CHECK(with_symbols["crash"]["stack"][1]["file"].is_null());
    CHECK(with_symbols["crash"]["stack"][2]["function"].is_null());
  }

  TEST_CASE("kinds are the words of the protocol") {
    for (const auto enumerant : capnp::Schema::from<wire::IncidentKind>().getEnumerants()) {
      std::string word;
      for (const char c : std::string(enumerant.getProto().getName().cStr())) {
        word += c >= 'A' && c <= 'Z' ? std::string{'_', static_cast<char>(c - 'A' + 'a')} : std::string{c};
      }
      CHECK(arenad::cli::word_of(static_cast<wire::IncidentKind>(enumerant.getOrdinal())) == word);
    }
    CHECK(arenad::cli::word_of(static_cast<wire::IncidentKind>(999)) == "unknown");
  }

  TEST_CASE("ids are decimal numbers from 1") {
    CHECK(parse_id("a crash", "17").value() == 17);
    CHECK(parse_id("a crash", "18446744073709551615").value() == UINT64_MAX);
    for (const char* wrong : {"", "0", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
      CAPTURE(wrong);
      CHECK_FALSE(parse_id("a crash", wrong));
    }
    CHECK(parse_ids("a crash", {"3", "1", "3"}).value() == std::vector<uint64_t>{3, 1});
    CHECK_FALSE(parse_ids("a crash", {"3", "x"}));
  }
}

TEST_SUITE("arenactl crashes") {
  TEST_CASE("what is asked for") {
    FakeDaemon daemon(crashes_answer(2));
    const Ended ended = ask(daemon, {"crashes"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("ID  ARENA   WHEN "));
    CHECK(ended.err == "");
    CHECK(ask(daemon, {"crashes", "duel-1", "ladder-*", "--slow", "--limit", "10"}).code == 0);
    CHECK(ask(daemon, {"crashes", "--", "show"}).code == 0);
    CHECK(daemon.requests() ==
          Texts{"crashes = (selection = (arenas = [], all = true, finished = false), slow = false, limit = 0)",
                "crashes = (selection = (arenas = [\"duel-1\", \"ladder-*\"], all = false, finished = false), slow = true, "
                "limit = 10)",
                "crashes = (selection = (arenas = [\"show\"], all = false, finished = false), slow = false, limit = 0)"});
  }

  TEST_CASE("as JSON, and in silence") {
    FakeDaemon daemon(crashes_answer(2));
    const json parsed = json::parse(ask(daemon, {"crashes", "--json"}).out);
    CHECK(parsed["schema"] == 1);
    REQUIRE(parsed["crashes"].size() == 2);
    json first = kIncident;
    first["id"] = 2;
    CHECK(parsed["crashes"][0] == first);
    CHECK(ask(daemon, {"crashes", "--quiet"}).out == "");
  }

  TEST_CASE("none leave the header, and it is said") {
    FakeDaemon daemon(crashes_answer(0));
    const Ended ended = ask(daemon, {"crashes"});
    CHECK(ended.code == 0);
    CHECK(ended.out == "ID  ARENA  WHEN  EPOCH  FRAME  KIND  CAUSE  EVENT  QUARANTINED  RECOVERY  TICKS-LOST\n");
    CHECK(ended.err == "arenactl: nothing is recorded\n");
    CHECK(ask(daemon, {"crashes", "shwo", "5"}).err == "arenactl: nothing is recorded; did you mean 'show'?\n");
  }

  TEST_CASE("a verb that was spelt wrongly is taken for an arena, of which nobody knows") {
    FakeDaemon daemon(error_answer(wire::FailureCode::UNKNOWN_ARENA, "no arena shwo"));
    const Ended ended = ask(daemon, {"crashes", "shwo", "5"});
    CHECK(ended.code == 4);
    CHECK(ended.err == "arenactl: no arena shwo; did you mean 'show'?\n");
  }

  TEST_CASE("one of them") {
    FakeDaemon daemon(crash_answer());
    const Ended ended = ask(daemon, {"crashes", "show", "17"});
    CHECK(ended.code == 0);
    CHECK(ended.out == SampleCrash().page());
    CHECK(ended.err == "");
    CHECK(json::parse(ask(daemon, {"crashes", "show", "--json", "17"}).out) == SampleCrash().parsed());
    CHECK(daemon.requests() == Texts{"crash = 17", "crash = 17"});
  }

  TEST_CASE("with symbols, files that cannot be used are named") {
    FakeDaemon daemon(crash_answer());
    const Ended ended = ask(daemon, {"crashes", "show", "17", "--symbols"});
    CHECK(ended.code == 0);
    CHECK(ended.out == SampleCrash().page());
    CHECK(ended.err == "arenactl: cannot open /srv/games/tanks.so: No such file or directory\n");
    const json parsed = json::parse(ask(daemon, {"crashes", "show", "17", "--symbols", "--json"}).out);
    CHECK(parsed["symbol_problems"] == json{"cannot open /srv/games/tanks.so: No such file or directory"});
  }

  TEST_CASE("every failure has its exit code") {
    FakeDaemon daemon(error_answer(wire::FailureCode::FAILED, "the database does not answer"));
    const Ended ended = ask(daemon, {"crashes", "show", "17"});
    CHECK(ended.code == 1);
    CHECK(ended.err == "arenactl: the database does not answer\n");
  }

  TEST_CASE("wrong arguments are found before arenad is asked") {
    FakeDaemon daemon(crashes_answer(1));
    const std::array wrong{
        std::pair{Texts{"crashes", "show"}, "ID is required\narenactl: see arenactl crashes show --help\n"},
        std::pair{Texts{"crashes", "show", "x"}, "'x' is no id of a crash, which is a number, such as 17\n"},
        std::pair{Texts{"crashes", "show", "5", "6"}, "unexpected argument '6'\narenactl: see arenactl crashes show --help\n"},
        std::pair{Texts{"crashes", "duel-1", "show", "5"},
                  "unexpected argument 'duel-1'\narenactl: see arenactl crashes show --help\n"},
        std::pair{Texts{"crashes", "show", "5", "--slow"},
                  "--slow does not go with 'show'\narenactl: see arenactl crashes show --help\n"},
        std::pair{Texts{"crashes", "show", "5", "--symbls"},
                  "unknown option '--symbls'; did you mean '--symbols'?\narenactl: see arenactl crashes show --help\n"},
        std::pair{Texts{"crashes", "--solw"},
                  "unknown option '--solw'; did you mean '--slow'?\narenactl: see arenactl crashes --help\n"},
        std::pair{Texts{"crashes", "--limit", "0"}, "--limit: '0' is no number from 1 to 1000\n"},
        std::pair{Texts{"crashes", "--limit", "1001"}, "--limit: '1001' is no number from 1 to 1000\n"},
        std::pair{Texts{"crashes", "duel-1", "--all"}, "either name arenas or give --all, not both\n"},
        std::pair{Texts{"crahses"}, "there is no verb 'crahses'; did you mean 'crashes'?\narenactl: see arenactl --help\n"},
    };
    for (const auto& [arguments, message] : wrong) {
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 2);
      CHECK(ended.out == "");
      CHECK(ended.err == std::string("arenactl: ") + message);
    }
    CHECK(daemon.requests().empty());
  }

  TEST_CASE("help on the verb and on the verb within it") {
    const Ended outer = run({"crashes", "--help"});
    CHECK(outer.code == 0);
    CHECK(contains(outer.out, "\n  show  "));
    CHECK(contains(outer.out, "--slow"));
    const Ended inner = run({"crashes", "show", "--help"});
    CHECK(inner.code == 0);
    CHECK(contains(inner.out, "Usage: arenactl crashes show [OPTIONS] ID\n"));
    CHECK(contains(inner.out, "--symbols"));
    CHECK(run({"help", "crashes", "show"}).out == inner.out);
  }
}
