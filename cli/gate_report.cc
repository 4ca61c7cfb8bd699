#include "cli/gate_report.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "cli/json_object.h"
#include "cli/xml_text.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::shown:
      return "different";
  }
  return "?";
}

Tone tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return Tone::good;
    case Verdict::failed:
      return Tone::bad;
    case Verdict::shown:
      return Tone::plain;
  }
  return Tone::plain;
}

// What has no other side is only told.
std::string verdict_text(const GateCheck& check) {
  return check.verdict == Verdict::shown && check.before.empty() ? "" : word_of(check.verdict);
}

std::string junit_case(const GateReport& report, const GateCheck& check) {
  const std::string head = fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml_escaped(printable(report.recording)),
                                       xml_escaped(check.name));
  if (check.verdict != Verdict::failed) return head + "/>\n";
  const std::string why = fmt::format("{}: {} before, {} after {}", check.name, check.before.empty() ? "-" : check.before,
                                      check.after, check.change);
  return fmt::format("{}>\n      <failure message=\"{}\"/>\n    </testcase>\n", head, xml_escaped(why));
}

// Text, because many readers of JSON lose digits of numbers beyond 2^53.
std::string hash_text(uint64_t hash) {
  return fmt::format("{:016x}", hash);
}

uint64_t hash_from(const Json& json) {
  const std::string text = json.get<std::string>();
  uint64_t hash = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  if (error != std::errc() || at != text.data() + text.size()) throw std::invalid_argument("no hash: " + text);
  return hash;
}

Json result_json(const ReplayedResult& result) {
  return {{"frame", result.frame},
          {"seat", result.seat},
          {"type", hash_text(result.type)},
          {"bytes", result.bytes},
          {"hash", hash_text(result.hash)}};
}

GateSide side_from(const Json& json) {
  GateSide side;
  side.game = json.at("game");
  side.version = json.at("version");
  side.frames = json.at("frames");
  side.times = {json.at("mean_ns"), json.at("p99_ns"), json.at("longest_ns")};
  side.outputs_hash = hash_from(json.at("outputs"));
  side.state_hash = hash_from(json.at("state"));
  for (const Json& result : json.at("results")) {
    side.results.push_back({result.at("frame"), result.at("seat"), hash_from(result.at("type")), result.at("bytes"),
                            hash_from(result.at("hash"))});
  }
  return side;
}

}  // namespace

Table gate_table(std::span<const GateCheck> checks) {
  Table table({{"CHECK"}, {"BEFORE", Align::right}, {"AFTER", Align::right}, {"CHANGE", Align::right}, {"VERDICT"}});
  for (const GateCheck& check : checks) {
    table.add_row({{check.name}, {check.before}, {check.after}, {check.change}, {verdict_text(check), tone_of(check.verdict)}});
  }
  return table;
}

std::string gate_json(const GateReport& report) {
  Json gate{{"recording", report.recording},
            {"before", report.before},
            {"after", report.after},
            {"passed", has_passed(report.checks)},
            {"checks", Json::array()}};
  for (const GateCheck& check : report.checks) {
    gate["checks"].push_back({{"name", check.name},
                              {"before", check.before},
                              {"after", check.after},
                              {"change", check.change},
                              {"verdict", word_of(check.verdict)}});
  }
  Json json = object_with_schema();
  json["gate"] = std::move(gate);
  return line(json);
}

std::string gate_junit(const GateReport& report) {
  const auto failures = std::ranges::count(report.checks, Verdict::failed, &GateCheck::verdict);
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"arenactl gate\" tests=\"{}\" "
      "failures=\"{}\">\n",
      report.checks.size(), failures);
  for (const GateCheck& check : report.checks) xml += junit_case(report, check);
  return xml + "  </testsuite>\n</testsuites>\n";
}

std::string baseline_json(const std::string& recording, const GateSide& side) {
  Json baseline{{"recording", recording},
                {"game", side.game},
                {"version", side.version},
                {"frames", side.frames},
                {"mean_ns", side.times.mean_ns},
                {"p99_ns", side.times.p99_ns},
                {"longest_ns", side.times.longest_ns},
                {"outputs", hash_text(side.outputs_hash)},
                {"state", hash_text(side.state_hash)},
                {"results", Json::array()}};
  for (const ReplayedResult& result : side.results) baseline["results"].push_back(result_json(result));
  Json json = object_with_schema();
  json["baseline"] = std::move(baseline);
  return line(json);
}

Result<GateSide> read_baseline(const std::string& text, const std::string& recording) {
  try {
    const Json json = Json::parse(text);
    const Json& baseline = json.at("baseline");
    if (baseline.at("recording").get<std::string>() != recording) {
      return make_error(ErrorCode::invalid,
                        "the baseline is of another recording: " + baseline.at("recording").get<std::string>());
    }
    return side_from(baseline);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::invalid, std::string("no baseline that arenactl gate has written: ") + e.what());
  }
}

}  // namespace arenad::cli
