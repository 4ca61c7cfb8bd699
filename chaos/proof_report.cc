#include "chaos/proof_report.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace arenad::chaos {
namespace {

using How = PartOutcome::How;

std::optional<double> value_of(const Figure& figure, const PartOutcome& outcome) {
  const auto found = outcome.values.find(figure.key);
  return found == outcome.values.end() ? std::nullopt : std::optional(found->second);
}

bool reaches(const Figure& figure, double value) {
  switch (figure.bar) {
    case Bar::at_least:
      return value >= figure.bound;
    case Bar::at_most:
      return value <= figure.bound;
    case Bar::shown:
      return true;
  }
  return false;
}

std::string bar_text(const Figure& figure) {
  switch (figure.bar) {
    case Bar::at_least:
      return fmt::format(">= {:.15g}", figure.bound);
    case Bar::at_most:
      return fmt::format("<= {:.15g}", figure.bound);
    case Bar::shown:
      return "shown";
  }
  return {};
}

std::string figure_line(const Figure& figure, const PartOutcome& outcome) {
  const auto value = value_of(figure, outcome);
  const std::string text = value ? fmt::format("{:.10g}", *value) : "-";
  std::string verdict = figure.bar == Bar::shown ? "" : "ok";
  if (!value || !reaches(figure, *value)) verdict = "MISSED";
  return fmt::format("{:<42} {:>14}  {:<10} {}\n", figure.name, text, bar_text(figure), verdict);
}

std::string part_line(const Part& part, const PartOutcome& outcome) {
  switch (outcome.how) {
    case How::done:
      return fmt::format("{}: {:.1f} s\n", part.name, outcome.seconds);
    case How::failed:
      return fmt::format("{}: FAILED: {}\n", part.name, outcome.why);
    case How::missing:
      return fmt::format("{}: MISSING: {}\n", part.name, outcome.why);
    case How::cut_short:
      return fmt::format("{}: cut short\n", part.name);
  }
  return {};
}

}  // namespace

void ProofReport::add(const Part& part, const PartOutcome& outcome) {
  entries_.push_back({part, outcome});
}

std::string ProofReport::table() const {
  std::string text = fmt::format("{:<42} {:>14}  {:<10}\n", "name", "figure", "bar");
  for (const Entry& entry : entries_) {
    for (const Figure& figure : entry.part.figures) text += figure_line(figure, entry.outcome);
  }
  text += "\n";
  for (const Entry& entry : entries_) text += part_line(entry.part, entry.outcome);
  return text;
}

std::string ProofReport::json() const {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Entry& entry : entries_) {
    for (const Figure& figure : entry.part.figures) {
      if (const auto value = value_of(figure, entry.outcome)) object[figure.name] = *value;
    }
  }
  for (const Entry& entry : entries_) {
    for (const auto& [key, value] : entry.outcome.values) object[entry.part.name + "." + key] = value;
  }
  return object.dump(2) + "\n";
}

bool ProofReport::all_is_reached() const {
  return std::ranges::all_of(entries_, [](const Entry& entry) {
    return entry.outcome.how == How::done && std::ranges::all_of(entry.part.figures, [&](const Figure& figure) {
             const auto value = value_of(figure, entry.outcome);
             return value && reaches(figure, *value);
           });
  });
}

bool ProofReport::has_failed() const {
  return std::ranges::any_of(entries_, [](const Entry& entry) { return entry.outcome.how == How::failed; });
}

}  // namespace arenad::chaos
