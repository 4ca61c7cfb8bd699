#include "cli/slow_table.h"

#include <fmt/format.h>

#include "cli/json_object.h"
#include "cli/quantity.h"

namespace arenad::cli {
namespace {

Json count_json(const SlowCount& of, const std::string& phase) {
  return {{"count", of.count}, {"longest_ms", of.longest_ms}, {"total_ms", of.total_ms}, {"phase", phase}};
}

Json stack_json(const SlowStack& stack) {
  Json json = count_json(stack.of, stack.phase);
  json["calls"] = Json::array();
  for (const SlowCall& call : stack.calls) {
    json["calls"].push_back({{"name", call.name}, {"language", call.language == Language::script ? "script" : "native"}});
  }
  return json;
}

}  // namespace

Table slow_table(const std::vector<SlowSite>& sites) {
  Table table({{"COUNT", Align::right}, {"LONGEST-MS", Align::right}, {"TOTAL-MS", Align::right}, {"PHASE"}, {"CALL-SITE"}});
  for (const SlowSite& site : sites) {
    table.add_row({{std::to_string(site.of.count)},
                   {std::to_string(site.of.longest_ms)},
                   {std::to_string(site.of.total_ms)},
                   {site.phase},
                   {site.call_site}});
  }
  return table;
}

std::string slow_stacks_text(const std::vector<SlowStack>& stacks, Colour colour) {
  std::string text;
  for (const SlowStack& stack : stacks) {
    if (!text.empty()) text += "\n";
    text += painted(fmt::format("{} frame{}, {} ms, the longest {} ms, {}", stack.of.count, stack.of.count == 1 ? "" : "s",
                                stack.of.total_ms, stack.of.longest_ms, stack.phase),
                    Tone::heading, colour) +
            "\n";
    for (const SlowCall& call : stack.calls) {
      text += fmt::format("  {}{}\n", call.name, call.language == Language::native ? "  (native)" : "");
    }
  }
  return text;
}

std::string extent_text(const SlowExtent& extent) {
  if (extent.frames == 0) return "no slow frame is recorded";
  return fmt::format("{} slow frame{} of {} arena{}, from {} to {}", extent.frames, extent.frames == 1 ? "" : "s",
                     extent.arenas, extent.arenas == 1 ? "" : "s", utc_ms_text(extent.oldest_unix_ms),
                     utc_ms_text(extent.newest_unix_ms));
}

std::string slow_json(std::span<const SlowFrameFacts> frames, Stacks stacks) {
  const SlowExtent extent = extent_of(frames);
  Json slow{{"frames", extent.frames}, {"arenas", extent.arenas}, {"oldest", nullptr}, {"newest", nullptr}};
  if (extent.frames != 0) {
    slow["oldest"] = utc_ms_text(extent.oldest_unix_ms);
    slow["newest"] = utc_ms_text(extent.newest_unix_ms);
  }
  slow["sites"] = Json::array();
  for (const SlowSite& site : slow_sites(frames)) {
    Json json = count_json(site.of, site.phase);
    json["call_site"] = site.call_site;
    slow["sites"].push_back(std::move(json));
  }
  if (stacks == Stacks::included) {
    slow["stacks"] = Json::array();
    for (const SlowStack& stack : slow_stacks(frames)) slow["stacks"].push_back(stack_json(stack));
  }
  Json json = object_with_schema();
  json["slow"] = std::move(slow);
  return line(json);
}

}  // namespace arenad::cli
