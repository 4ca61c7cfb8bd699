#include "cli/config_text.h"

#include <array>
#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

struct Group {
  wire::TakesEffect takes_effect;
  const char* title;
  const char* title_of_dry_run;
};

constexpr std::array kGroups{
    Group{wire::TakesEffect::AT_ONCE, "in force now", "would be in force at once"},
    Group{wire::TakesEffect::WHEN_BEGUN, "for what begins from now on", "would count for what begins afterwards"},
    Group{wire::TakesEffect::AFTER_RESTART, "needs a restart of arenad", "would need a restart of arenad"},
};

std::string shown(capnp::Text::Reader text) {
  return printable(text_of(text));
}

std::string group_text(wire::ConfigReloaded::Reader reloaded, const Group& group, Colour colour) {
  Table table({{"KEY"}, {"FROM"}, {""}, {"TO"}});
  std::string notes;
  size_t rows = 0;
  for (const auto change : reloaded.getChanges()) {
    if (change.getTakesEffect() != group.takes_effect) continue;
    ++rows;
    table.add_row({{"  " + shown(change.getKey())}, {shown(change.getFrom())}, {"->"}, {shown(change.getTo())}});
    if (change.getNote().size() != 0) notes += "  " + shown(change.getKey()) + ": " + shown(change.getNote()) + "\n";
  }
  if (rows == 0) return {};
  const std::string title = reloaded.getDryRun() ? group.title_of_dry_run : group.title;
  return painted(title, Tone::heading, colour) + "\n" + table.text(colour, Header::hidden) + notes;
}

std::string problem_text(wire::ConfigProblem::Reader problem) {
  std::string text = text_of(problem.getFile());
  if (problem.getLine() != 0) text += fmt::format(":{}", problem.getLine());
  if (problem.getColumn() != 0) text += fmt::format(":{}", problem.getColumn());
  if (problem.getKey().size() != 0) text += ": " + text_of(problem.getKey());
  return printable(text + ": " + text_of(problem.getMessage()));
}

}  // namespace

std::string render_config_changes(wire::ConfigReloaded::Reader reloaded, Colour colour) {
  if (reloaded.getChanges().size() == 0) return "no changes\n";
  std::string text;
  for (const Group& group : kGroups) text += group_text(reloaded, group, colour);
  return text;
}

std::vector<std::string> config_problems(wire::ConfigReloaded::Reader reloaded) {
  std::vector<std::string> lines;
  for (const auto problem : reloaded.getProblems()) lines.push_back(problem_text(problem));
  return lines;
}

std::string restart_note(wire::ConfigReloaded::Reader reloaded) {
  size_t count = 0;
  for (const auto change : reloaded.getChanges()) count += change.getTakesEffect() == wire::TakesEffect::AFTER_RESTART ? 1 : 0;
  if (count == 0) return {};
  return fmt::format("{} of arenad; until then the old value{} in force",
                     count == 1 ? "1 change needs a restart" : fmt::format("{} changes need a restart", count),
                     count == 1 ? " stays" : "s stay");
}

}  // namespace arenad::cli
