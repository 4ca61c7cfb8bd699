// The reports of a small run: they say what was found, and what is strange in it does no harm.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include <doctest/doctest.h>

#include "chaos/bundle.h"
#include "chaos/files.h"
#include "chaos/histogram_svg.h"
#include "chaos/html_report.h"
#include "chaos/json_report.h"
#include "chaos/junit_report.h"
#include "chaos/markup.h"
#include "chaos/run_text.h"
#include "chaos/timeline_svg.h"
#include "tests/chaos/small_record.h"
#include "tests/support/temporary_folder.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;
using nlohmann::json;
using test::SmallRun;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t place = text.find(part); place != std::string::npos; place = text.find(part, place + 1)) ++found;
  return found;
}

SmallRun failed_run() {
  SmallRun run;
  run.findings.invariants.violated({Invariant::lost, "<b>\"&'", "<script>alert('x')</script> \x01 \xFF ]]>", 1200});
  run.findings.outcomes[3].took_ms = 0;
  return run;
}

}  // namespace

TEST_CASE("escaping: markup, control characters, what is not UTF-8") {
  CHECK(escaped("a<b>&\"'c") == "a&lt;b&gt;&amp;&quot;&#39;c");
  CHECK(escaped("\u00FC\u20AC\U0001F600\n\t") == "\u00FC\u20AC\U0001F600\n\t");
  CHECK(escaped(std::string("\0\x1B\x7F", 3)) == "\uFFFD\uFFFD\uFFFD");
  // Alone, cut off, overlong, a surrogate, beyond the last, and what XML leaves out.
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xEF\xBF\xBF"}) {
    CAPTURE(bad);
    CHECK(escaped(bad).substr(0, 3) == "\uFFFD");
  }
}

TEST_CASE("the page says what was found, loads nothing and escapes everything") {
  const std::string page = html_report(failed_run().record());
  for (const char* part :
       {"4711", "0123abc", "1.2.3", "4321", "failed", "worker.segv", "id=\"invariant-lost\"", "Linux 6.1", "4.0 GiB",
        "arena-chaos run --seed 4711 &amp;&amp; echo &lt;done&gt;", "&lt;script&gt;alert(&#39;x&#39;)", "not recovered",
        "0000000000abcdef", "prefers-color-scheme: dark", "default-src 'none'"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
  for (const char* part : {"<script", "<b>", "http:", "https:", "src=", "url(", "@import", "\x01", "\xFF"}) {
    CAPTURE(part);
    CHECK_FALSE(has(page, part));
  }
}

TEST_CASE("a death is put down to the fault that was alone when it came") {
  const RunRecord record = SmallRun().record();
  REQUIRE(record.deaths.size() == 3);
  CHECK(record.deaths[0].fault == "worker.killed");
  CHECK(record.deaths[1].fault.empty());
  CHECK(record.deaths[2].fault == "worker.segv");
  const auto kind = [&](const std::string& name) { return *std::ranges::find(record.kinds, name, &KindRecord::name); };
  CHECK(kind("worker.killed").parts.deaths == 1);
  CHECK(kind("worker.segv").parts.load.max() == 2);
  CHECK(kind("arenad.killed").parts.deaths == 0);
  CHECK(record.parts().deaths == 3);
}

TEST_CASE("the reports have the parts of the recoveries, by fault and together") {
  const RunRecord record = SmallRun().record();
  const json report = json::parse(json_report(record));
  CHECK(report["parts"]["deaths"] == 3);
  CHECK(report["parts"]["start"]["p50_ms"] == 1);
  CHECK(report["parts"]["detect"]["max_ms"] == 0.25);
  CHECK(report["deaths"][1]["fault"].is_null());
  CHECK(report["deaths"][2] == json{{"arena", "<b>\"&'"},
                                    {"epoch", 1},
                                    {"report", 3},
                                    {"fault", "worker.segv"},
                                    {"detect_ms", 40},
                                    {"notice_ms", 0.25},
                                    {"recovery_ms", 7},
                                    {"start_ms", 1},
                                    {"load_ms", 2},
                                    {"replay_ms", 4},
                                    {"overtaken_by", nullptr}});
  for (const json& kind : report["faults"]) {
    if (kind["name"] == "worker.segv") CHECK(kind["parts"]["replay"]["p99_ms"] == 4);
  }
  const json figures = json::parse(json_figures(record));
  CHECK(figures["chaos.load_p50_ms"] == 2);
  CHECK(figures["chaos.deaths_told"] == 3);
  const std::string page = html_report(record);
  CHECK(has(page, "id=\"recovery-parts\""));
  CHECK(has(page, "until its state was loaded"));
  CHECK(has(closing_text(record, ""), "\nload               3       2.00       2.00       2.00\n"));
  const std::string junit = junit_report(record);
  CHECK(has(junit, "<testcase classname=\"arena-chaos.recovery\" name=\"replay\" time=\"0.004\"></testcase>"));
}

TEST_CASE("bars of fine times: each bin is twice as wide as the one before") {
  const auto bins = bins_of(Durations({0.01, 1.0 / 32, 0.05, 1, 5000}), kFromMicroseconds);
  CHECK(bins[0] == 1);
  CHECK(bins[1] == 2);
  CHECK(bins[6] == 1);
  CHECK(bins[kBins - 1] == 1);
  CHECK(range_of_bin(0, kFromMicroseconds) == "below 31.2 \u00B5s");
  CHECK(range_of_bin(6, kFromMicroseconds) == "1 ms to 2 ms");
  CHECK(range_of_bin(kBins - 1, kFromMicroseconds) == "2.05 s or more");
}

TEST_CASE("the timeline has a bar for each fault that was there, and marks what was replaced and violated") {
  const std::string svg = timeline_svg(failed_run().record());
  CHECK(count(svg, "class=\"bar ") == 4);
  CHECK(count(svg, " open\"") == 1);
  CHECK(count(svg, "class=\"tick\"") == 4);
  CHECK(count(svg, "class=\"violation\"") == 1);
}

TEST_CASE("a timeline of very many faults and arenas stays small") {
  SmallRun run;
  run.plan.arenas.clear();
  for (int i = 0; i < 300; ++i) run.plan.arenas.push_back({"chaos-" + std::to_string(i), 0, 100});
  run.plan.steps.assign(100'000, {"worker.killed", 0, 5, 1, false});
  run.findings.outcomes.clear();
  for (size_t i = 0; i < run.plan.steps.size(); ++i) {
    run.plan.steps[i].arena = i % 300;
    run.recovered(i, i, 10);
  }
  run.findings.invariants.violated({Invariant::lost, "chaos-299", "gone", 50'000});
  const std::string svg = timeline_svg(run.record());
  CHECK(svg.size() < 10'000'000);
  CHECK(count(svg, "class=\"row\"") == kMostRows + 1);
  CHECK(has(svg, "chaos-299"));
}

TEST_CASE("an empty run has reports too") {
  SmallRun run;
  run.plan = {};
  run.findings = {};
  const RunRecord record = run.record("arenad does not answer");
  CHECK(has(html_report(record), "arenad does not answer"));
  CHECK(json::parse(json_report(record)).at("verdict") == "cut short");
  CHECK(has(junit_report(record), "<error message=\"arenad does not answer\"/>"));
}

TEST_CASE("bins: doubling times, with both ends open") {
  const auto bins = bins_of(Durations({0.2, 0.99, 1, 1.5, 2, 1e9}));
  CHECK(bins[0] == 2);
  CHECK(bins[1] == 2);
  CHECK(bins[2] == 1);
  CHECK(bins[kBins - 1] == 1);
  CHECK(range_of_bin(0) == "below 1 ms");
  CHECK(range_of_bin(5) == "16 ms to 32 ms");
}

TEST_CASE("the JSON has it all, and is read back for what it comes to") {
  const RunRecord record = failed_run().record();
  const json report = json::parse(json_report(record));
  CHECK(report.at("schema") == kReportSchema);
  CHECK(report.at("seed") == 4711);
  CHECK(report.at("steps").size() == 4);
  CHECK(report.at("faults").size() == 3);
  CHECK(report.at("violations").size() == 1);
  CHECK(report.at("invariants").size() == kInvariants);
  CHECK(report.at("steps")[3].at("fate") == "not recovered");
  auto back = reported_in(json_report(record));
  REQUIRE(back.ok());
  CHECK(*back == reported(record));
  CHECK(back->verdict == "failed");
  CHECK(back->violated == std::set<std::string>{"lost"});
  for (const char* bad : {"", "{}", "[]", "{\"schema\": 2}", "{\"schema\": 1}"}) CHECK_FALSE(reported_in(bad).ok());
}

TEST_CASE("the figures are one flat object") {
  const json figures = json::parse(json_figures(SmallRun().record()));
  for (const auto& [name, value] : figures.items()) {
    CAPTURE(name);
    CHECK(name.starts_with("chaos."));
    CHECK(value.is_primitive());
  }
  CHECK(figures.at("chaos.violations") == 0);
  CHECK(figures.at("chaos.fault_kinds_fired") == 3);
  CHECK(figures.at("chaos.worker_kills") == 3);
  CHECK(figures.at("chaos.arenad_kills") == 1);
}

TEST_CASE("the history has a line for each thing that happened, in order") {
  std::istringstream lines(history_lines(failed_run().record()));
  uint64_t last = 0;
  size_t number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    const json one = json::parse(line);
    CHECK(one.at("at_ms") >= last);
    last = one.at("at_ms");
  }
  CHECK(number == 4 + 3 + 1 + 1);
}

TEST_CASE("JUnit: a case for each invariant and each kind of fault, with its failures") {
  SmallRun run = failed_run();
  run.findings.outcomes[2].not_run = "no <root>";
  run.findings.outcomes[2].lacked_something = true;
  const std::string xml = junit_report(run.record());
  CHECK(count(xml, "classname=\"arena-chaos.invariants\"") == kInvariants);
  CHECK(count(xml, "classname=\"arena-chaos.faults\"") == 3);
  CHECK(count(xml, "<failure") == 2);
  CHECK(has(xml, "<skipped message=\"no &lt;root&gt;\"/>"));
  CHECK_FALSE(has(xml, "\x01"));
  CHECK(count(junit_report(SmallRun().record()), "<failure") == 0);
}

TEST_CASE("the terminal says how far it is, and at the end what was found") {
  CHECK(progress_text({.seconds = 3, .over = 10, .planned = 40, .worker_ends = 5}) ==
        "[#####...............] 3 s  10 of 40 faults  5 workers and 0 arenads replaced  0 violations");
  CHECK(progress_text({.seconds = 61, .of_seconds = 60, .over = 10}) ==
        "[####################] 61 of 60 s  10 faults  0 workers and 0 arenads replaced  0 violations");
  const std::string text = closing_text(failed_run().record(), "out");
  for (const char* part : {"verdict: FAILED", "out/report.html", "VIOLATED", "worker.segv"}) {
    CAPTURE(part);
    CHECK(has(text, part));
  }
}

TEST_CASE("a bundle holds the plan and what was found, and stands beside an earlier one") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "stage/state");
  REQUIRE(write_file(folder.path() / "stage/state/a.db", "rows").ok());
  const SmallRun run = failed_run();
  RunRecord record = run.record();
  REQUIRE(write_bundle(folder.path() / "out", folder.path() / "stage", record).ok());
  CHECK(record.bundle == (folder.path() / "out/bundle-4711").string());
  CHECK(read_file(folder.path() / "out/bundle-4711/stage/state/a.db").value() == "rows");
  auto bundle = read_bundle(record.bundle);
  REQUIRE(bundle.ok());
  CHECK(bundle->plan == run.plan);
  CHECK(bundle->verdict == reported(record));
  REQUIRE(write_bundle(folder.path() / "out", folder.path() / "stage", record).ok());
  CHECK(record.bundle == (folder.path() / "out/bundle-4711-2").string());
  CHECK_FALSE(read_bundle(folder.path() / "stage").ok());
}
