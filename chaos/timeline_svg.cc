#include "chaos/timeline_svg.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "chaos/markup.h"

namespace arenad::chaos {
namespace {

constexpr double kWidth = 1120;
constexpr double kLabelWidth = 110;
constexpr double kRight = 14;
constexpr double kRowHeight = 26;
constexpr double kTop = 8;
constexpr double kAxisHeight = 26;
constexpr double kBarHeight = 13;
constexpr double kLowBarHeight = 6;
constexpr double kLeastBar = 2;  // so that a short one is seen
constexpr double kMostLabels = 10;
constexpr size_t kMostNameCharacters = 14;

// Of time to the place across.
class Scale {
 public:
  explicit Scale(double end_ms) : end_ms_(std::max(end_ms, 1.0)) {}
  [[nodiscard]] double x(double ms) const {
    return kLabelWidth + std::clamp(ms / end_ms_, 0.0, 1.0) * (kWidth - kLabelWidth - kRight);
  }
  [[nodiscard]] double end_ms() const { return end_ms_; }
  // Between two labels: 1, 2 or 5 times a power of ten.
  [[nodiscard]] double label_every_ms() const {
    for (double power = 1;; power *= 10) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (end_ms_ / (factor * power) <= kMostLabels) return factor * power;
      }
    }
  }

 private:
  double end_ms_;
};

struct Bar {
  double from_ms;
  double until_ms;
  size_t colour;
  std::string title;
  bool is_open;  // nothing came back
  bool is_low;   // covers the lower half alone of what it struck into
};

double end_of(const RunRecord& record) {
  double end = record.seconds * 1000;
  for (const RecordedStep& step : record.steps) end = std::max(end, static_cast<double>(step.at_ms) + step.took_ms);
  for (const Violation& violation : record.invariants.kept()) end = std::max(end, static_cast<double>(violation.at_ms));
  return end;
}

bool was_there(const RecordedStep& step) {
  return step.fate == Fate::recovered || step.fate == Fate::not_recovered;
}

Bar bar_of(const RecordedStep& step, const std::vector<std::string>& groups, double end_ms) {
  const auto from = static_cast<double>(step.at_ms);
  const bool is_open = step.fate == Fate::not_recovered;
  const std::string what = is_open ? "not recovered" : fmt::format("recovered in {:.1f} ms", step.took_ms);
  return {from,
          is_open ? end_ms : from + step.took_ms,
          colour_of(groups, step.step.fault),
          fmt::format("{}{} at {:.3f} s: {}", step.step.fault, step.step.compound ? " (compound)" : "", from / 1000, what),
          is_open,
          step.step.compound};
}

// One bar for all that begin in the same column.
std::vector<Bar> merged(const std::vector<Bar>& bars, const Scale& scale) {
  std::map<int, Bar> columns;
  std::map<int, size_t> counts;
  for (const Bar& bar : bars) {
    const int column = static_cast<int>(scale.x(bar.from_ms));
    auto [found, is_new] = columns.try_emplace(column, bar);
    counts[column] += 1;
    if (is_new) continue;
    found->second.until_ms = std::max(found->second.until_ms, bar.until_ms);
    found->second.is_open = found->second.is_open || bar.is_open;
    found->second.is_low = found->second.is_low && bar.is_low;
  }
  std::vector<Bar> list;
  for (auto& [column, bar] : columns) {
    if (counts[column] > 1) bar.title = fmt::format("{} faults from {:.3f} s on", counts[column], bar.from_ms / 1000);
    list.push_back(std::move(bar));
  }
  return list;
}

std::string short_name(const std::string& name) {
  return name.size() <= kMostNameCharacters ? name : name.substr(0, kMostNameCharacters - 1) + "\u2026";
}

class Drawing {
 public:
  Drawing(Scale scale, size_t rows) : scale_(scale), rows_(rows) {}

  void axis() {
    const double bottom = kTop + kRowHeight * static_cast<double>(rows_);
    const double every = scale_.label_every_ms();
    for (size_t label = 0; every * static_cast<double>(label) <= scale_.end_ms(); ++label) {
      const double ms = every * static_cast<double>(label);
      text_ += fmt::format(R"(<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)", scale_.x(ms), kTop,
                           bottom);
      text_ += fmt::format(R"(<text class="axis" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:g} s</text>)", scale_.x(ms),
                           bottom + 16, ms / 1000);
    }
  }
  void row(const std::string& name) {
    ++row_;
    const double y = top();
    if (row_ % 2 == 0) {
      text_ += fmt::format(R"(<rect class="band" x="0" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)", y, kWidth, kRowHeight);
    }
    text_ += fmt::format(R"(<text class="row" x="6" y="{:.1f}">{}<title>{}</title></text>)", y + 17, escaped(short_name(name)),
                         escaped(name));
  }
  void bar(const Bar& bar) {
    const double from = scale_.x(bar.from_ms);
    const double width = std::max(scale_.x(bar.until_ms) - from, kLeastBar);
    const double height = bar.is_low ? kLowBarHeight : kBarHeight;
    text_ += fmt::format(
        R"(<rect class="bar c{}{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1"><title>{}</title></rect>)",
        bar.colour, bar.is_open ? " open" : "", from, top() + 4 + kBarHeight - height, width, height, escaped(bar.title));
  }
  void tick(double ms) {
    text_ += fmt::format(R"(<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)", scale_.x(ms),
                         top() + 18, top() + 24);
  }
  void triangle(double ms, const std::string& title) {
    const double x = scale_.x(ms);
    const double y = top() + 3;
    text_ +=
        fmt::format(R"(<path class="violation" d="M{:.1f} {:.1f}l6 11h-12z"><title>{}</title></path>)", x, y, escaped(title));
  }
  [[nodiscard]] std::string svg() const {
    const double height = kTop + kRowHeight * static_cast<double>(rows_) + kAxisHeight;
    return fmt::format(
        R"(<svg class="timeline" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" role="img" aria-label="Faults and recoveries of each arena over time">{2}</svg>)",
        kWidth, height, text_);
  }

 private:
  [[nodiscard]] double top() const { return kTop + kRowHeight * row_; }
  Scale scale_;
  size_t rows_;
  int row_ = -1;
  std::string text_;
};

// Ticks that would cover each other are one.
void draw_ticks(Drawing& drawing, const Scale& scale, const std::vector<uint64_t>& times_ms) {
  std::set<int> columns;
  for (const uint64_t ms : times_ms) {
    if (columns.insert(static_cast<int>(scale.x(static_cast<double>(ms)))).second) drawing.tick(static_cast<double>(ms));
  }
}

std::vector<size_t> rows_of(const RunRecord& record) {
  std::set<std::string> violated;
  for (const Violation& violation : record.invariants.kept()) violated.insert(violation.arena);
  std::vector<size_t> rows;
  for (size_t arena = 0; arena < record.plan.arenas.size(); ++arena) rows.push_back(arena);
  if (rows.size() <= kMostRows) return rows;
  std::stable_partition(rows.begin(), rows.end(),
                        [&](size_t arena) { return violated.contains(record.plan.arenas[arena].name); });
  rows.resize(kMostRows);
  return rows;
}

void draw_violations(Drawing& drawing, const RunRecord& record, const std::string& arena) {
  for (const Violation& violation : record.invariants.kept()) {
    if (violation.arena != arena) continue;
    drawing.triangle(static_cast<double>(violation.at_ms),
                     fmt::format("violation of {}: {}", name_of(violation.invariant), violation.text));
  }
}

}  // namespace

std::string group_of(const std::string& fault) {
  return fault.substr(0, fault.find('.'));
}

std::vector<std::string> groups_of(const RunRecord& record) {
  std::set<std::string> groups;
  for (const KindRecord& kind : record.kinds) groups.insert(group_of(kind.name));
  return {groups.begin(), groups.end()};
}

size_t colour_of(const std::vector<std::string>& groups, const std::string& fault) {
  const auto place = static_cast<size_t>(std::ranges::find(groups, group_of(fault)) - groups.begin());
  return std::min(place, kColours - 1);
}

std::string timeline_svg(const RunRecord& record) {
  const Scale scale(end_of(record));
  const std::vector<std::string> groups = groups_of(record);
  const std::vector<size_t> rows = rows_of(record);
  std::map<size_t, std::vector<Bar>> bars;
  for (const RecordedStep& step : record.steps) {
    if (was_there(step)) bars[step.step.arena].push_back(bar_of(step, groups, scale.end_ms()));
  }
  std::map<size_t, std::vector<uint64_t>> successions_ms;
  for (const Succession& succession : record.successions) successions_ms[succession.arena].push_back(succession.at_ms);
  const bool must_merge = record.steps.size() > kMostBars;

  Drawing drawing(scale, rows.size() + 1);
  drawing.axis();
  drawing.row("arenad");
  draw_ticks(drawing, scale, record.arenads_ms);
  draw_violations(drawing, record, "");
  for (const size_t arena : rows) {
    drawing.row(record.plan.arenas[arena].name);
    std::vector<Bar> shown = must_merge ? merged(bars[arena], scale) : std::move(bars[arena]);
    // The low ones over the others, which would hide them.
    std::stable_partition(shown.begin(), shown.end(), [](const Bar& bar) { return !bar.is_low; });
    for (const Bar& bar : shown) drawing.bar(bar);
    draw_ticks(drawing, scale, successions_ms[arena]);
    draw_violations(drawing, record, record.plan.arenas[arena].name);
  }
  return drawing.svg();
}

}  // namespace arenad::chaos
