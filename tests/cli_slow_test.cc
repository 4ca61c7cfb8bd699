// arenactl slow: which calls are shown of a report, how frames are put together, the flame graph, and the real program against an arenad that is
// not there.
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "cli/flame_graph.h"
#include "cli/slow_sites.h"
#include "cli/slow_stack.h"
#include "cli/slow_table.h"
#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"
#include "tests/cli_sample_status.h"

namespace {

using namespace arenad::cli_test;
using arenad::cli::Colour;
using arenad::cli::extent_of;
using arenad::cli::extent_text;
using arenad::cli::flame_boxes;
using arenad::cli::flame_svg;
using arenad::cli::FlameBox;
using arenad::cli::Header;
using arenad::cli::Language;
using arenad::cli::slow_frame_of;
using arenad::cli::slow_json;
using arenad::cli::slow_sites;
using arenad::cli::slow_stacks;
using arenad::cli::slow_stacks_text;
using arenad::cli::slow_table;
using arenad::cli::SlowCall;
using arenad::cli::SlowFrameFacts;
using arenad::cli::SourcePlace;
using arenad::cli::Stacks;
using arenad::cli::StackSymbols;
using nlohmann::json;

namespace wire = arenad::wire;

using Calls = std::vector<SlowCall>;

struct NativeFrame {
  std::string object;
  std::string build_id;
  std::string function;  // that the symbols tell; empty: they do not
};

struct Sample {
  Texts script;
  std::vector<NativeFrame> stack;
};

void fill(wire::Crash::Builder report, const Sample& sample, uint64_t id = 9, uint64_t ran_ms = 150) {
  auto incident = report.initIncident();
  incident.setId(id);
  incident.setName("duel-1");
  incident.setBuildId("00c0ffee");
  incident.setAtUnixMs(kNowUnixMs);
  incident.setTookMs(ran_ms);
  incident.setPhase("ticking");
  incident.setKind(wire::IncidentKind::SLOW);
  auto script = report.initScript(static_cast<unsigned>(sample.script.size()));
  for (unsigned i = 0; i < script.size(); ++i) script.set(i, sample.script[i]);
  auto stack = report.initStack(static_cast<unsigned>(sample.stack.size()));
  for (unsigned i = 0; i < stack.size(); ++i) {
    stack[i].setAddress(0x7000 + i);
    stack[i].setObject(sample.stack[i].object);
    stack[i].setBuildId(sample.stack[i].build_id);
    stack[i].setOffset(0x100 * (i + 1));
  }
}

SlowFrameFacts facts_of(const Sample& sample) {
  capnp::MallocMessageBuilder message;
  auto report = message.initRoot<wire::Crash>();
  fill(report, sample);
  StackSymbols symbols;
  for (const NativeFrame& frame : sample.stack) {
    auto& place = symbols.places.emplace_back();
    if (!frame.function.empty()) place = SourcePlace{frame.function, "", 0};
  }
  return slow_frame_of(report.asReader(), symbols);
}

SlowCall script(const std::string& name) {
  return {name, Language::script};
}
SlowCall native(const std::string& name) {
  return {name, Language::native};
}

const std::vector<NativeFrame> kInterpreter{{"/lib/libm.so", "01", "sin"},
                                            {"/lib/numbers.so", "02", "dot"},
                                            {"/lib/libpython.so", "03", "_PyEval_EvalFrameDefault"},
                                            {"/lib/libpython.so", "03", "call_function"},
                                            {"/lib/libpython.so", "03", "_PyEval_EvalFrameDefault.cold"},
                                            {"/srv/python_host.so", "00c0ffee", "tick"},
                                            {"/usr/bin/arena-worker", "04", "main"}};

SlowFrameFacts frame(Calls calls, uint64_t ran_ms, const std::string& call_site = "a", const std::string& phase = "ticking",
                     const std::string& arena = "duel-1", int64_t at_unix_ms = kNowUnixMs) {
  return {1, arena, at_unix_ms, ran_ms, phase, call_site, std::move(calls)};
}

std::string command_output(const std::string& command, int& code) {
  std::string out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[512];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, count);
  code = ::pclose(pipe);
  return out;
}

void check_well_formed(const std::string& file) {
  int code = 0;
  if (std::system("command -v xmllint >/dev/null") != 0) return;  // NOLINT(concurrency-mt-unsafe)
  const std::string said = command_output("xmllint --noout --nonet '" + file + "'", code);
  CAPTURE(said);
  CHECK(code == 0);
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_SUITE("slow frames: which calls are shown") {
  TEST_CASE("of a game that is native code, the native stack; the site is the innermost function of its own") {
    const SlowFrameFacts facts = facts_of({{},
                                           {{"/lib/libc.so.6", "01", "memcpy"},
                                            {"/srv/tanks.so", "00c0ffee", "tanks::fire()"},
                                            {"/bin/arena-worker", "04", ""}}});
    CHECK(facts.calls == Calls{native("memcpy"), native("tanks::fire()"), native("arena-worker+0x300")});
    CHECK(facts.call_site == "tanks::fire()");
    CHECK(facts.id == 9);
    CHECK(facts.ran_ms == 150);
    CHECK(facts.phase == "ticking");
    CHECK(facts.arena == "duel-1");
  }

  TEST_CASE("without the module's build id it is the innermost there is, and without a stack nobody knows") {
    CHECK(facts_of({{}, {{"/lib/libc.so.6", "01", "memcpy"}, {"/srv/tanks.so", "05", "fire"}}}).call_site == "memcpy");
    CHECK(facts_of({{}, {{"", "", ""}}}).call_site == "0x7000");
    CHECK(facts_of({}).call_site == "?");
    CHECK(facts_of({}).calls.empty());
  }

  TEST_CASE("of a script, its own calls alone: how an interpreter runs them tells nobody anything") {
    const SlowFrameFacts facts = facts_of({{"aim (turret.py:31)", "tick (battle.py:12)"}, kInterpreter});
    CHECK(facts.calls == Calls{script("aim (turret.py:31)"), script("tick (battle.py:12)")});
    CHECK(facts.call_site == "aim (turret.py:31)");
  }

  TEST_CASE("in native code, what the script has called, up to the interpreter's loop") {
    const Texts lines{"native code, holds the interpreter's lock", "aim (turret.py:31)", "tick (battle.py:12)"};
    const SlowFrameFacts facts = facts_of({lines, kInterpreter});
    CHECK(facts.calls == Calls{native("sin"), native("dot"), script("aim (turret.py:31)"), script("tick (battle.py:12)")});
    CHECK(facts.call_site == "aim (turret.py:31) > dot (native code, holds the interpreter's lock)");
    std::vector<NativeFrame> without_symbols = kInterpreter;
    for (NativeFrame& each : without_symbols) each.function.clear();
    const SlowFrameFacts unknown = facts_of({lines, without_symbols});
    CHECK(unknown.calls == Calls{native("libm.so+0x100"), script("aim (turret.py:31)"), script("tick (battle.py:12)")});
    CHECK(unknown.call_site == "aim (turret.py:31) > libm.so (native code, holds the interpreter's lock)");
    CHECK(facts_of({{lines[0]}, kInterpreter}).call_site == "dot (native code, holds the interpreter's lock)");
    CHECK(facts_of({lines, {}}).call_site == "aim (turret.py:31) > ? (native code, holds the interpreter's lock)");
  }

  TEST_CASE("one call of native code is one site, wherever in it a frame was caught") {
    const Texts lines{"native code, holds the interpreter's lock", "aim (turret.py:31)"};
    const NativeFrame loop{"/lib/libpython.so", "03", "_PyEval_EvalFrameDefault"};
    const NativeFrame way{"/lib/libpython.so", "03", "PyObject_Vectorcall"};
    const NativeFrame unnamed{"/lib/libpython.so", "03", ""};
    const auto site = [&](std::vector<NativeFrame> stack) { return facts_of({lines, std::move(stack)}).call_site; };
    const std::string of_sum = "aim (turret.py:31) > libpython.so (native code, holds the interpreter's lock)";
    CHECK(site({unnamed, way, loop}) == of_sum);
    CHECK(site({{"/lib/libpython.so", "03", "PyObject_Free"}, unnamed, way, loop}) == of_sum);
    CHECK(site({{"/lib/libpython.so", "03", "PyLong_FromLong"}, unnamed, unnamed, loop}) == of_sum);
    // One in an extension is found behind ways to it that have no name.
    const NativeFrame extension{"/lib/_zlib.cpython-311-x86_64-linux-gnu.so", "07", "compress"};
    const NativeFrame unnamed_extension{"/lib/_zlib.cpython-311-x86_64-linux-gnu.so", "07", ""};
    const NativeFrame make_call{"/lib/libpython.so", "03", "_PyObject_MakeTpCall"};
    const std::string of_compress = "aim (turret.py:31) > compress (native code, holds the interpreter's lock)";
    CHECK(site({extension, unnamed, make_call, way, loop}) == of_compress);
    CHECK(site({{"/lib/libz.so", "08", "deflate"}, extension, unnamed, make_call, way, loop}) == of_compress);
    CHECK(site({unnamed_extension, unnamed, way, loop}) ==
          "aim (turret.py:31) > _zlib.cpython-311-x86_64-linux-gnu.so (native code, holds the interpreter's lock)");
    // Nothing but the way: then it is that.
    CHECK(site({way, loop}) == "aim (turret.py:31) > PyObject_Vectorcall (native code, holds the interpreter's lock)");
    CHECK(site({loop}) == "aim (turret.py:31) > ? (native code, holds the interpreter's lock)");
  }

  TEST_CASE("nothing of it acts on a terminal") {
    const SlowFrameFacts facts = facts_of({{"native code, \x1b[2J", "a\x1b[2J"}, {{"/x\x1b[2J", "", "f\x1b[2J"}}});
    for (const SlowCall& call : facts.calls) CHECK_FALSE(contains(call.name, "\x1b"));
    CHECK_FALSE(contains(facts.call_site, "\x1b"));
  }
}

TEST_SUITE("slow frames: put together") {
  TEST_CASE("by call site and phase, those that took longest in all first") {
    const std::vector<SlowFrameFacts> frames{frame({}, 100, "a"), frame({}, 300, "b"), frame({}, 150, "a"), frame({}, 250, "c"),
                                             frame({}, 400, "a", "applying")};
    const auto sites = slow_sites(frames);
    REQUIRE(sites.size() == 4);
    CHECK(slow_table(sites).text(Colour::none, Header::shown) ==
          "COUNT  LONGEST-MS  TOTAL-MS  PHASE     CALL-SITE\n"
          "    1         400       400  applying  a\n"
          "    1         300       300  ticking   b\n"
          "    2         150       250  ticking   a\n"
          "    1         250       250  ticking   c\n");
    CHECK(slow_sites({}).empty());
  }

  TEST_CASE("by whole stacks") {
    const std::vector<SlowFrameFacts> frames{frame({script("aim"), script("tick")}, 100),
                                             frame({native("sin"), script("tick")}, 300),
                                             frame({script("aim"), script("tick")}, 120)};
    CHECK(slow_stacks_text(slow_stacks(frames), Colour::none) ==
          "1 frame, 300 ms, the longest 300 ms, ticking\n  sin  (native)\n  tick\n\n"
          "2 frames, 220 ms, the longest 120 ms, ticking\n  aim\n  tick\n");
    CHECK(slow_stacks_text({}, Colour::none).empty());
  }

  TEST_CASE("over how many they are is said") {
    CHECK(extent_text(extent_of({})) == "no slow frame is recorded");
    const std::vector<SlowFrameFacts> frames{frame({}, 1, "a", "ticking", "duel-1", kNowUnixMs + 5000),
                                             frame({}, 1, "a", "ticking", "duel-2"),
                                             frame({}, 1, "a", "ticking", "duel-1", kNowUnixMs + 1000)};
    CHECK(extent_text(extent_of(frames)) ==
          "3 slow frames of 2 arenas, from 2026-01-02T03:04:05.000Z to 2026-01-02T03:04:10.000Z");
  }

  TEST_CASE("as JSON") {
    const std::vector<SlowFrameFacts> frames{frame({native("sin"), script("tick")}, 100)};
    const json parsed = json::parse(slow_json(frames, Stacks::included));
    CHECK(parsed["schema"] == 1);
    CHECK(parsed["slow"]["frames"] == 1);
    CHECK(parsed["slow"]["arenas"] == 1);
    CHECK(parsed["slow"]["oldest"] == "2026-01-02T03:04:05.000Z");
    CHECK(parsed["slow"]["sites"][0] ==
          json{{"count", 1}, {"longest_ms", 100}, {"total_ms", 100}, {"phase", "ticking"}, {"call_site", "a"}});
    CHECK(parsed["slow"]["stacks"][0]["calls"] ==
          json{{{"name", "sin"}, {"language", "native"}}, {{"name", "tick"}, {"language", "script"}}});
    const json none = json::parse(slow_json({}, Stacks::left_out));
    CHECK(none["slow"]["newest"].is_null());
    CHECK(none["slow"]["sites"].empty());
    CHECK_FALSE(none["slow"].contains("stacks"));
  }
}

TEST_SUITE("flame graph") {
  TEST_CASE("a box stands on its caller, as wide as the time of its frames, siblings by name") {
    const std::vector<SlowFrameFacts> frames{frame({script("b"), script("tick")}, 100),
                                             frame({script("a"), script("tick")}, 200),
                                             frame({native("sin"), script("a"), script("tick")}, 100), frame({}, 100)};
    const std::vector<FlameBox> expected{{"all", Language::native, 0, 0, 1, {4, 200, 500}},
                                         {"tick", Language::script, 1, 0, 0.8, {3, 200, 400}},
                                         {"a", Language::script, 2, 0, 0.6, {2, 200, 300}},
                                         {"sin", Language::native, 3, 0, 0.2, {1, 100, 100}},
                                         {"b", Language::script, 2, 0.6, 0.2, {1, 100, 100}}};
    const auto boxes = flame_boxes(frames);
    REQUIRE(boxes.size() == expected.size());
    for (size_t i = 0; i < boxes.size(); ++i) {
      CAPTURE(i);
      CHECK(boxes[i].name == expected[i].name);
      CHECK((boxes[i].language == expected[i].language));
      CHECK(boxes[i].depth == expected[i].depth);
      CHECK(boxes[i].begin == doctest::Approx(expected[i].begin));
      CHECK(boxes[i].width == doctest::Approx(expected[i].width));
      CHECK(boxes[i].of.count == expected[i].of.count);
      CHECK(boxes[i].of.total_ms == expected[i].of.total_ms);
      CHECK(boxes[i].of.longest_ms == expected[i].of.longest_ms);
    }
  }

  TEST_CASE("frames of no time, and none at all, have boxes of no width") {
    CHECK(flame_boxes({}).size() == 1);
    const std::vector<SlowFrameFacts> frames{frame({script("a")}, 0)};
    const auto boxes = flame_boxes(frames);
    REQUIRE(boxes.size() == 2);
    CHECK(boxes[1].width == 0);
  }

  TEST_CASE("the drawing is well-formed, whatever names it has, and says names and numbers") {
    const std::vector<SlowFrameFacts> frames{
        frame({native("std::vector<int, \"x\">& operator<"), script("aim & fire (turret.py:31)")}, 1000),
        frame({script("\xEF\xBF\xBE\xEF\xBF\xBF\xC3\xA4")}, 10), frame({script(std::string(3000, 'w'))}, 2000), frame({}, 1)};
    const TemporaryFolder folder;
    const std::string file = folder.file("slow.svg");
    for (const auto& some : {std::span<const SlowFrameFacts>(frames), std::span<const SlowFrameFacts>()}) {
      const std::string svg = flame_svg(some, "Slow frames of <tanks> & \"co\"");
      std::ofstream(file, std::ios::binary) << svg;
      check_well_formed(file);
      CHECK(contains(svg, "Slow frames of &lt;tanks&gt; &amp; &quot;co&quot;"));
      CHECK_FALSE(contains(svg, "<script"));
      CHECK_FALSE(contains(svg, "href"));
    }
    const std::string svg = flame_svg(frames, "t");
    CHECK(contains(svg, "<title>aim &amp; fire (turret.py:31): 1 slow frame, 1000 ms, the longest 1000 ms</title>"));
    CHECK(contains(svg, ">aim &amp; fire (turret.py:31)</text>"));
    CHECK(contains(svg, "<title>all: 4 slow frames, 3011 ms, the longest 2000 ms</title>"));
  }
}

TEST_SUITE("arenactl slow") {
  // Two pages: the second one is asked for with the number that the first one ended with.
  Answer two_pages() {
    return [](Answering answering) {
      auto slow = answering.reply.initSlow();
      const uint64_t before = answering.request.getSlow().getBefore();
      slow.setNext(before == 0 ? 8 : before == 8 ? 7 : 0);
      if (before != 0 && before != 8) return;
      auto reports = slow.initReports(1);
      fill(reports[0], {{"aim (turret.py:31)", "tick (battle.py:12)"}, {}}, before == 0 ? 8 : 7, before == 0 ? 150 : 250);
    };
  }

  TEST_CASE("every page is asked for, and what is told is put together") {
    FakeDaemon daemon(two_pages());
    const Ended ended = ask(daemon, {"slow"});
    CHECK(ended.code == 0);
    CHECK(ended.out ==
          "COUNT  LONGEST-MS  TOTAL-MS  PHASE    CALL-SITE\n"
          "    2         250       400  ticking  aim (turret.py:31)\n");
    CHECK(contains(ended.err, "2 slow frames of 1 arena, from "));
    CHECK(daemon.requests() == Texts{"slow = (game = \"\", arena = \"\", sinceUnixMs = 0, before = 0)",
                                     "slow = (game = \"\", arena = \"\", sinceUnixMs = 0, before = 8)",
                                     "slow = (game = \"\", arena = \"\", sinceUnixMs = 0, before = 7)"});
  }

  TEST_CASE("no more pages than are needed, and of which game and arena") {
    FakeDaemon daemon(two_pages());
    CHECK(contains(ask(daemon, {"slow", "tanks", "--arena", "duel-*", "--limit", "1"}).out,
                   "    1         150       150  ticking "));
    CHECK(daemon.requests() == Texts{"slow = (game = \"tanks\", arena = \"duel-*\", sinceUnixMs = 0, before = 0)"});
    CHECK(ask(daemon, {"slow", "--since", "1h", "--limit", "1"}).code == 0);
    CHECK_FALSE(contains(daemon.requests().back(), "sinceUnixMs = 0"));
  }

  TEST_CASE("an arenad that would go on for ever is not asked for ever") {
    FakeDaemon daemon([](Answering answering) { answering.reply.initSlow().setNext(5); });
    const Ended ended = ask(daemon, {"slow"});
    CHECK(ended.code == 0);
    CHECK(contains(ended.err, "no slow frame is recorded"));
    CHECK(daemon.requests().size() == 2);
  }

  TEST_CASE("stacks, JSON, columns, and the flame graph") {
    FakeDaemon daemon(two_pages());
    CHECK(ask(daemon, {"slow", "--stacks"}).out ==
          "2 frames, 400 ms, the longest 250 ms, ticking\n  aim (turret.py:31)\n  tick (battle.py:12)\n");
    CHECK(json::parse(ask(daemon, {"slow", "--json"}).out)["slow"]["sites"][0]["total_ms"] == 400);
    CHECK(ask(daemon, {"slow", "-o", "call-site", "--no-header"}).out == "aim (turret.py:31)\n");
    const TemporaryFolder folder;
    const std::string file = folder.file("slow.svg");
    CHECK(ask(daemon, {"slow", "--flame", file}).code == 0);
    check_well_formed(file);
    CHECK(contains(content_of(file), "aim (turret.py:31): 2 slow frames, 400 ms"));
    CHECK(ask(daemon, {"slow", "--flame", folder.file("none/slow.svg")}).code == 1);
  }

  TEST_CASE("what is wrong on the command line is said") {
    FakeDaemon daemon(two_pages());
    for (const auto& [words, why] : {std::pair{Texts{"slow", "--limit", "0"}, "--limit: '0' is no number from 1 to 10000"},
                                     std::pair{Texts{"slow", "--since", "yesterday"}, "'yesterday' is no duration"},
                                     std::pair{Texts{"slow", "--stacks", "-o", "count"}, "--stacks is no table"},
                                     std::pair{Texts{"slow", "tanks", "echo"}, "unexpected argument 'echo'"}}) {
      CAPTURE(why);
      const Ended ended = ask(daemon, words);
      CHECK(ended.code == 2);
      CHECK(contains(ended.err, why));
    }
    CHECK(daemon.requests().empty());
  }
}
