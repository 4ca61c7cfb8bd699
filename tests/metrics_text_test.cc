// The text that Prometheus gets, and what is read for it.
#include "supervisor/metrics_text.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <prometheus/text_serializer.h>
#include <set>
#include <sstream>
#include <unistd.h>

#include <doctest/doctest.h>

#include "supervisor/crash_signature.h"
#include "supervisor/exposition_writer.h"

using namespace arenad;

namespace {

MetricsFacts facts_of_one_arena() {
  MetricsFacts facts;
  facts.version = "1.2.3";
  facts.games["tanks"].totals.tallies[Tally::frames] = 7;
  facts.games["tanks"].arenas[static_cast<size_t>(ArenaState::failed)] = 2;
  facts.games["tanks"].workers = {42};
  ArenaMetrics arena;
  arena.name = "duel";
  arena.game = "tanks";
  arena.pid = 42;
  arena.totals.tallies[Tally::frames] = 5;
  for (size_t i = 0; i < kTimeBuckets; ++i) arena.totals.tallies.at(static_cast<size_t>(Tally::frame_time) + i) = 1;
  arena.totals.tallies[Tally::frame_ns] = 2'500'000'000;
  arena.gauges.snapshot_age_ns = 1'500'000'000;
  facts.arenas.push_back(arena);
  return facts;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("arenad-memory-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text << "\n";
  }
  [[nodiscard]] std::string at(const std::string& folder) const { return (path_ / folder).string(); }
  [[nodiscard]] std::string top() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("metrics text: seconds and bytes, games and arenas") {
  MemoryFacts memory;
  memory.resident_bytes[42] = 4096;
  const std::string text = metrics_text(facts_of_one_arena(), memory);
  CHECK(has_line(text, "arenad_build_info{version=\"1.2.3\"} 1"));
  CHECK(has_line(text, "arenad_frames_total{game=\"tanks\"} 7"));
  CHECK(has_line(text, "arenad_arena_frames_total{game=\"tanks\",arena=\"duel\"} 5"));
  CHECK(has_line(text, "arenad_arenas{game=\"tanks\",state=\"failed\"} 2"));
  CHECK(has_line(text, "arenad_arenas{game=\"tanks\",state=\"running\"} 0"));
  CHECK(has_line(text, "arenad_arena_snapshot_age_seconds{game=\"tanks\",arena=\"duel\"} 1.5"));
  CHECK(has_line(text, "arenad_arena_frame_seconds_sum{game=\"tanks\",arena=\"duel\"} 2.5"));
  CHECK(has_line(text, "arenad_arena_frame_seconds_bucket{game=\"tanks\",arena=\"duel\",le=\"0.001\"} 5"));
  CHECK(has_line(text, "arenad_arena_frame_seconds_bucket{game=\"tanks\",arena=\"duel\",le=\"+Inf\"} 16"));
  CHECK(has_line(text, "arenad_arena_frame_seconds_count{game=\"tanks\",arena=\"duel\"} 16"));
  CHECK(has_line(text, "arenad_resident_memory_bytes{game=\"tanks\"} 4096"));
  CHECK(has_line(text, "arenad_memory_group_bytes NaN"));
  CHECK(has_line(text, "arenad_memory_group_limit_bytes +Inf"));
}

TEST_CASE("metrics text: every name is documented, with a unit and a suffix that Prometheus knows") {
  std::ifstream file(ARENAD_TEST_METRICS_DOC);
  std::stringstream document;
  document << file.rdbuf();
  REQUIRE(!document.str().empty());
  std::istringstream text(metrics_text(facts_of_one_arena(), {}));
  std::set<std::string> names;
  for (std::string word, name, type, line; std::getline(text, line);) {
    std::istringstream words(line);
    if (!line.starts_with("# TYPE") || !(words >> word >> word >> name >> type)) continue;
    CHECK_MESSAGE(names.insert(name).second, name);
    CHECK_MESSAGE(document.str().find("`" + name + "`") != std::string::npos, name << " is not in docs/metrics.md");
    CHECK_MESSAGE((type == "counter") == name.ends_with("_total"), name);
  }
  CHECK(names.size() > 70);
}

TEST_CASE("metrics text: names from outside cannot break a line") {
  MetricsFacts facts = facts_of_one_arena();
  facts.games["tanks"].totals.signatures["SIGSEGV a\"b\nc.so+0x1"] = 1;
  const std::string text = metrics_text(facts, {});
  CHECK(has_line(text, "arenad_crashes_total{game=\"tanks\",signature=\"SIGSEGV a\\\"b\\nc.so+0x1\"} 1"));
}

TEST_CASE("metrics text: says what prometheus-cpp's own serializer says") {
  using prometheus::ClientMetric;
  using prometheus::MetricFamily;
  using prometheus::MetricType;
  const double values[] = {0,
                           1,
                           2.5,
                           1.0 / 3,
                           1e-9,
                           123456789.125,
                           4'503'599'627'370'497.5,
                           1e18,
                           18446744073709551616.0,
                           -3,
                           -0.25,
                           1e300,
                           5e-324,
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};
  std::vector<MetricFamily> families;
  for (const MetricType type : {MetricType::Counter, MetricType::Gauge, MetricType::Histogram}) {
    MetricFamily family{"f" + std::to_string(families.size()), "What it is.", type, {}};
    for (const double value : values) {
      ClientMetric metric;
      if (value != 1) metric.label = {{"a", "x\"y\\z\nw"}, {"b", std::to_string(value)}};
      metric.counter.value = value;
      metric.gauge.value = value;
      metric.histogram.sample_count = 7;
      metric.histogram.sample_sum = value;
      metric.histogram.bucket = {{3, 0.0001}, {4, 0.25}, {7, std::numeric_limits<double>::infinity()}};
      family.metric.push_back(metric);
    }
    families.push_back(family);
  }
  std::istringstream ours(ExpositionWriter().Serialize(families));
  std::istringstream library(static_cast<const prometheus::Serializer&>(prometheus::TextSerializer()).Serialize(families));
  size_t lines = 0;
  for (std::string line, expected; std::getline(library, expected); ++lines) {
    REQUIRE(std::getline(ours, line));
    if (expected.starts_with("#")) {
      CHECK(line == expected);
      continue;
    }
    const auto value_at = expected.rfind(' ');
    CHECK(line.substr(0, line.rfind(' ')) == expected.substr(0, value_at));
    const double value = std::strtod(line.c_str() + line.rfind(' '), nullptr);
    const double roughly = std::strtod(expected.c_str() + value_at, nullptr);  // the library prints 16 digits; some take 17
    CHECK((value == roughly || std::abs(value - roughly) <= 1e-15 * std::abs(roughly)));
  }
  CHECK(lines > 3 * std::size(values));
  std::string rest;
  CHECK_FALSE(std::getline(ours, rest));
}

TEST_CASE("memory group: the one that is nearest to its limit") {
  const Folder folder;
  folder.write("memory.current", "900");
  folder.write("memory.max", "max");
  folder.write("slice/memory.current", "700");
  folder.write("slice/memory.max", "1000");
  folder.write("slice/arenad/memory.current", "300");
  folder.write("slice/arenad/memory.max", "max");
  auto group = memory_group(folder.at("slice/arenad"), folder.top());
  REQUIRE(group);
  CHECK(group->bytes == 700);
  CHECK(group->limit_bytes == 1000);
  folder.write("slice/arenad/memory.max", "310");
  group = memory_group(folder.at("slice/arenad"), folder.top());
  CHECK(group->bytes == 300);
  CHECK(group->limit_bytes == 310);
}

TEST_CASE("memory group: without a limit, of version 1, and none") {
  const Folder folder;
  folder.write("v2/memory.current", "300");
  folder.write("v2/memory.max", "max");
  folder.write("v1/memory.usage_in_bytes", "200");
  folder.write("v1/memory.limit_in_bytes", "9223372036854771712");
  const auto v2 = memory_group(folder.at("v2"), folder.top());
  REQUIRE(v2);
  CHECK(v2->bytes == 300);
  CHECK_FALSE(v2->limit_bytes);
  const auto v1 = memory_group(folder.at("v1"), folder.top());
  REQUIRE(v1);
  CHECK(v1->bytes == 200);
  CHECK_FALSE(v1->limit_bytes);
  CHECK_FALSE(memory_group(folder.at("nothing"), folder.top()));
}

TEST_CASE("processor time: what workers take adds up, whoever of them ends") {
  CpuTimes times;
  times.read({{7, 100, "tanks", "duel"}, {8, 50, "tanks", ""}});
  CHECK(times.of_game("tanks") == 150);
  CHECK(times.of_arena("duel") == 100);
  times.read({{7, 130, "tanks", "duel"}});
  CHECK(times.of_game("tanks") == 180);
  // Another worker, and one more with the number of a third that is gone.
  times.read({{9, 5, "tanks", "duel"}, {8, 20, "chess", "knight"}});
  CHECK(times.of_game("tanks") == 185);
  CHECK(times.of_arena("duel") == 135);
  CHECK(times.of_game("chess") == 20);
  times.read({{9, 4, "tanks", "duel"}});
  CHECK(times.of_arena("duel") == 139);
  times.forget_arenas_but([](const std::string& name) { return name == "knight"; });
  CHECK(times.of_arena("duel") == 0);
  CHECK(times.of_arena("knight") == 20);
  CHECK(times.of_game("tanks") == 189);
}

TEST_CASE("processor time: of this process, and in the text") {
  MetricsFacts facts = facts_of_one_arena();
  facts.games["tanks"].workers = {::getpid()};
  facts.arenas[0].pid = ::getpid();
  read_cpu_times(facts);
  const uint64_t read = facts.cpu.of_arena("duel");
  CHECK(read > 0);
  CHECK(read == facts.cpu.of_game("tanks"));
  CHECK(metrics_text(facts, {}).find("arenad_arena_cpu_seconds_total{game=\"tanks\",arena=\"duel\"} 0.") != std::string::npos);
}

TEST_CASE("resident memory: of this process, and of none") {
  CHECK(resident_bytes_of(::getpid()) > 1'000'000);
  CHECK(resident_bytes_of(0) == 0);
}

TEST_CASE("crash signature: how, and where in the game's code; the same for each death of one cause") {
  DeathFacts facts;
  Death death;
  facts.exit = {Exit::How::signalled, SIGABRT};
  facts.note.kind = EndKind::signal;
  facts.note.signal = SIGABRT;
  facts.note.stack = {{0x7f0000001000, "/usr/lib/x86_64-linux-gnu/libc.so.6", "", 0x1000},
                      {0x7f0000402000, "/var/lib/arenad/code/tanks.so", "", 0x2000},
                      {0x7f0000403000, "/var/lib/arenad/code/tanks.so", "", 0x3000}};
  CHECK(crash_signature(death, facts) == "SIGABRT tanks.so+0x2000");
  facts.note.stack.clear();
  death.kind = IncidentKind::hang;
  CHECK(crash_signature(death, facts) == "SIGABRT hang");
  facts.exit = {Exit::How::exited, 3};
  death.kind = IncidentKind::exit;
  CHECK(crash_signature(death, facts) == "exit 3");
  facts.exit = {Exit::How::signalled, SIGKILL};
  death.kind = IncidentKind::out_of_memory;
  CHECK(crash_signature(death, facts) == "SIGKILL out_of_memory");
  facts.exit = {};
  death.kind = IncidentKind::crash;
  facts.note.signal = SIGSEGV;
  CHECK(crash_signature(death, facts) == "SIGSEGV");
  facts.note = {};
  CHECK(crash_signature(death, facts) == "unknown");
}
