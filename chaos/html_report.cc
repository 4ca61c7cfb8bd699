#include "chaos/html_report.h"

#include <fmt/format.h>

#include "chaos/histogram_svg.h"
#include "chaos/html_style.h"
#include "chaos/markup.h"
#include "chaos/timeline_svg.h"

namespace arenad::chaos {
namespace {

constexpr size_t kMostListedSteps = 200;

const char* tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "good";
    case Verdict::failed:
      return "bad";
    case Verdict::vacuous:
    case Verdict::cut_short:
      return "warn";
  }
  return "";
}

const char* mark_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "\u2713";
    case Verdict::failed:
      return "\u2717";
    case Verdict::vacuous:
      return "\u25CB";
    case Verdict::cut_short:
      return "\u2026";
  }
  return "";
}

std::string number(uint64_t value) {
  return fmt::format(R"(<td class="number">{}</td>)", value);
}

std::string milliseconds(double value) {
  return fmt::format(R"(<td class="number">{:.1f}</td>)", value);
}

std::string section(const char* id, const char* title, const std::string& body) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, title, body);
}

std::string table(const std::string& headings, const std::string& rows, const char* kind = "") {
  return fmt::format("<div class=\"wide\"><table class=\"{}\"><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
                     kind, headings, rows);
}

std::string head(const RunRecord& record) {
  std::string text = fmt::format(
      "<h1>arena-chaos <span id=\"verdict\" class=\"verdict {}\">{} {}</span></h1>\n"
      "<p class=\"faint\">Seed {}, {:.1f} s, begun {}, Arenad {}, commit {}</p>\n",
      tone_of(record.verdict), mark_of(record.verdict), name_of(record.verdict), record.plan.seed, record.seconds,
      escaped(record.started), escaped(record.version), escaped(record.commit));
  if (record.reasons.empty()) return text;
  text += fmt::format("<ul class=\"reasons {}\">", tone_of(record.verdict));
  for (const std::string& reason : record.reasons) text += "<li>" + escaped(reason) + "</li>";
  return text + "</ul>\n";
}

std::string figure(const char* id, const char* name, const std::string& value, const std::string& of = "") {
  return fmt::format("<div><dt>{}</dt><dd id=\"{}\">{}{}</dd></div>", name, id, value,
                     of.empty() ? "" : " <small>" + of + "</small>");
}

std::string figures(const RunRecord& record) {
  const Durations took = record.took();
  std::string text = "<dl class=\"figures\">";
  text += figure("violations", "violations", std::to_string(record.invariants.violations()));
  text += figure("faults", "faults", std::to_string(record.fired()), fmt::format("of {} planned", record.plan.steps.size()));
  text += figure("kinds", "kinds of faults", std::to_string(record.kinds_fired()),
                 fmt::format("of {} planned", record.kinds.size()));
  text += figure("worker-ends", "workers replaced", std::to_string(record.worker_ends));
  text += figure("arenad-ends", "arenads replaced", std::to_string(record.arenad_ends));
  text += figure("entries", "entries played", std::to_string(record.entries));
  text += figure("frames", "frames compared", std::to_string(record.frames_compared));
  text += figure("recovery", "recovery p50", fmt::format("{:.1f}", took.quantile(0.5)),
                 fmt::format("ms, p99 {:.0f}, max {:.0f}", took.quantile(0.99), took.max()));
  return text + "</dl>\n";
}

std::string legend(const RunRecord& record) {
  const auto groups = groups_of(record);
  const auto sample = [](const std::string& shape, const std::string& name) {
    return fmt::format(R"(<li><svg width="14" height="12" aria-hidden="true">{}</svg>{}</li>)", shape, escaped(name));
  };
  std::string text = "<ul class=\"legend\">";
  for (size_t i = 0; i < groups.size() && i < kColours; ++i) {
    const bool is_rest = i == kColours - 1 && groups.size() > kColours;
    text += sample(fmt::format(R"(<rect class="bar c{}" width="14" height="12" rx="1"/>)", i), is_rest ? "others" : groups[i]);
  }
  text += sample(R"(<line class="tick" x1="7" x2="7" y1="2" y2="11"/>)", "another worker, another arenad");
  text += sample(R"(<path class="violation" d="M7 0l6 11h-12z"/>)", "violation");
  return text + "</ul>\n";
}

std::string timeline(const RunRecord& record) {
  std::string text =
      "<p class=\"faint\">A bar begins when a fault strikes and ends when an entry said afterwards has come back. A low bar "
      "struck while "
      "the one before was not over.</p>\n" +
      legend(record);
  text += "<div class=\"wide\">" + timeline_svg(record) + "</div>\n";
  if (record.plan.arenas.size() > kMostRows) {
    text += fmt::format("<p class=\"faint\">{} arenas are not shown; report.json has them all.</p>\n",
                        record.plan.arenas.size() - kMostRows);
  }
  return section("timeline", "Faults and recoveries", text);
}

std::string histograms(const RunRecord& record) {
  std::string rows;
  const auto row = [&](const std::string& name, const Durations& took) {
    rows += fmt::format("<tr><td class=\"keep\">{}</td>{}{}{}{}<td>{}</td></tr>\n", escaped(name), number(took.sorted.size()),
                        milliseconds(took.quantile(0.5)), milliseconds(took.quantile(0.99)), milliseconds(took.max()),
                        histogram_svg(took));
  };
  for (const KindRecord& kind : record.kinds) {
    if (kind.recovered != 0) row(kind.name, kind.took);
  }
  row("all", record.took());
  return section(
      "recovery-times", "Time to recover, by fault",
      "<p class=\"faint\">From the fault until an entry said afterwards came back to its player, in milliseconds. A fault that "
      "is "
      "undone after a while, or found by a time limit, takes that long at least. All bars have the same scale of time.</p>\n" +
          table("<th>fault</th><th class=\"number\">times</th><th class=\"number\">p50</th><th class=\"number\">p99</th>"
                "<th class=\"number\">max</th><th>" +
                    histogram_axis_svg() + "</th>",
                rows, "middle"));
}

std::string fine_milliseconds(const Durations& took, double fraction) {
  if (took.sorted.empty()) return R"(<td class="number faint">-</td>)";
  return fmt::format(R"(<td class="number">{:.2f}</td>)", took.quantile(fraction));
}

std::string histograms_of_parts(const RecoveryParts& all) {
  std::string rows;
  for (const NamedPart& part : kNamedParts) {
    const Durations& took = all.*part.durations;
    rows += fmt::format("<tr><td class=\"keep\">{}</td><td>{}</td>{}{}{}{}<td>{}</td></tr>\n", part.name, part.meaning,
                        number(took.sorted.size()), fine_milliseconds(took, 0.5), fine_milliseconds(took, 0.99),
                        fine_milliseconds(took, 1), histogram_svg(took, kFromMicroseconds));
  }
  return table(
      "<th>part</th><th></th><th class=\"number\">times</th><th class=\"number\">p50</th><th class=\"number\">p99</th>"
      "<th class=\"number\">max</th><th>" +
          histogram_axis_svg(kFromMicroseconds) + "</th>",
      rows, "middle");
}

// What took how long in arenad's own reports of the deaths, which players do not see.
std::string parts(const RunRecord& record) {
  const RecoveryParts all = record.parts();
  if (all.deaths == 0) return "";
  std::string rows;
  std::string headings = "<th>fault</th><th class=\"number\">deaths</th><th class=\"number\">overtaken</th>";
  for (const NamedPart& part : kNamedParts)
    headings += fmt::format("<th class=\"number\">{0} p50</th><th class=\"number\">max</th>", part.name);
  const auto row = [&](const std::string& name, const RecoveryParts& of) {
    rows += fmt::format("<tr><td class=\"keep\">{}</td>{}{}", escaped(name), number(of.deaths), number(of.overtaken));
    for (const NamedPart& part : kNamedParts) {
      const Durations& took = of.*part.durations;
      rows += fine_milliseconds(took, 0.5) + fine_milliseconds(took, 1);
    }
    rows += fmt::format("<td>{}</td></tr>\n", histogram_svg(of.recovery, kFromMicroseconds));
  };
  for (const KindRecord& kind : record.kinds) {
    if (kind.parts.deaths != 0) row(kind.name, kind.parts);
  }
  row("all", all);
  return section("recovery-parts", "What took how long, from a death to the next worker",
                 "<p class=\"faint\">As arenad reports each death, in milliseconds. A death that came before the recovery from "
                 "the last one was "
                 "over has overtaken it. With a fault are only those of it alone; all has the others too.</p>\n" +
                     histograms_of_parts(all) +
                     table(headings + "<th>" + histogram_axis_svg(kFromMicroseconds) + "</th>", rows, "middle"));
}

std::string invariants(const RunRecord& record) {
  std::string rows;
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    const uint64_t violated = record.invariants.violations(invariant);
    const uint64_t looked_at = record.invariants.looked_at(invariant);
    const char* tone = violated != 0 ? "bad" : looked_at == 0 ? "warn" : "good";
    const char* word = violated != 0 ? "\u2717 violated" : looked_at == 0 ? "\u25CB not looked at" : "\u2713 held";
    rows += fmt::format("<tr id=\"invariant-{0}\"><td>{0}</td><td>{1}</td>{2}{3}<td class=\"keep {4}\">{5}</td></tr>\n",
                        name_of(invariant), meaning_of(invariant), number(looked_at), number(violated), tone, word);
  }
  return section(
      "invariants", "Invariants",
      table(
          "<th>name</th><th>what must hold</th><th class=\"number\">looked at</th><th class=\"number\">violated</th><th></th>",
          rows));
}

std::string violations(const RunRecord& record) {
  const auto& kept = record.invariants.kept();
  if (kept.empty()) return "";
  std::string rows;
  for (const Violation& violation : kept) {
    rows += fmt::format("<tr><td class=\"number\">{:.3f}</td><td>{}</td><td class=\"keep\">{}</td><td>{}</td></tr>\n",
                        static_cast<double>(violation.at_ms) / 1000, name_of(violation.invariant), escaped(violation.arena),
                        escaped(violation.text));
  }
  const uint64_t more = record.invariants.violations() - kept.size();
  return section(
      "violations-list", "Violations",
      table("<th class=\"number\">s</th><th>invariant</th><th>arena</th><th>what was found</th>", rows) +
          (more == 0 ? "" : fmt::format("<p class=\"faint\">And {} more of the same invariants.</p>\n", more)) +
          (record.bundle.empty() ? "" : "<p>What explains them is in <code>" + escaped(record.bundle) + "</code></p>\n"));
}

std::string word_of(const KindRecord& kind) {
  if (kind.is_not_run()) return R"(<span class="warn">○ not run</span>)";
  if (kind.fired == 0) return R"(<span class="bad">✗ never there</span>)";
  if (kind.recovered != kind.fired) return R"(<span class="bad">✗ not always recovered</span>)";
  return R"(<span class="good">✓ recovered</span>)";
}

std::string coverage(const RunRecord& record) {
  std::string kinds;
  for (const KindRecord& kind : record.kinds) {
    kinds += fmt::format(
        "<tr><td class=\"keep\">{}</td><td>{}<br><span class=\"faint\">{}</span></td>{}{}{}<td "
        "class=\"keep\">{}</td><td>{}</td></tr>\n",
        escaped(kind.name), escaped(kind.does), escaped(kind.holds), number(kind.planned), number(kind.fired),
        number(kind.recovered), word_of(kind), escaped(kind.why_not));
  }
  std::string rungs;
  for (const auto& [rung, count] : record.rungs) {
    rungs += fmt::format("<tr><td>{}</td>{}<td class=\"{}\">{}</td></tr>\n", escaped(rung), number(count),
                         count == 0 ? "warn" : "good", count == 0 ? "\u25CB not taken" : "\u2713 taken");
  }
  return section("coverage", "Faults that were there",
                 table("<th>fault</th><th>what it does, what must hold</th><th class=\"number\">planned</th><th "
                       "class=\"number\">fired</th>"
                       "<th class=\"number\">recovered</th><th></th><th class=\"keep\">why not</th>",
                       kinds)) +
         section(
             "ladder", "Recovery ladder",
             "<p class=\"faint\">From what the arena's newest worker began, each time it was asked for after a fault.</p>\n" +
                 table("<th>rung</th><th class=\"number\">times</th><th></th>", rungs));
}

// Those that a reader would look for: what did not go as it should.
std::string odd_steps(const RunRecord& record) {
  std::string rows;
  size_t count = 0;
  for (const RecordedStep& one : record.steps) {
    if (one.fate == Fate::recovered || ++count > kMostListedSteps) continue;
    rows +=
        fmt::format("<tr><td class=\"keep\">{}</td><td class=\"keep\">{}</td>{}<td class=\"keep\">{}</td><td>{}</td></tr>\n",
                    escaped(one.step.fault), escaped(record.plan.arenas[one.step.arena].name), number(one.step.at),
                    name_of(one.fate), escaped(one.why));
  }
  if (count == 0) return "";
  return section("odd-steps", "Faults that were not there, or not recovered from",
                 table("<th>fault</th><th>arena</th><th class=\"number\">at entry</th><th></th><th>why</th>", rows) +
                     (count <= kMostListedSteps ? ""
                                                : fmt::format("<p class=\"faint\">And {} more; report.json has them all.</p>\n",
                                                              count - kMostListedSteps)));
}

std::string final_states(const RunRecord& record) {
  std::string states;
  for (size_t i = 0; i < record.final_states.size(); ++i) {
    states += fmt::format("{}{:016x}", i == 0 ? "" : " ", record.final_states[i]);
  }
  if (states.empty()) return "";
  return section(
      "final-states", "Final states",
      "<p class=\"faint\">What the results and balances of each arena come to. The same plan gives the same ones.</p>\n<pre>" +
          states + "</pre>\n");
}

std::string environment(const RunRecord& record) {
  std::string rows;
  const auto row = [&](const std::string& name, const std::string& value) {
    rows += fmt::format("<tr><td class=\"keep\">{}</td><td>{}</td></tr>\n", escaped(name), escaped(value));
  };
  const Environment& found = record.environment;
  row("seed", std::to_string(record.plan.seed));
  row("Arenad", record.version);
  row("commit", record.commit);
  row("begun", record.started);
  row("kernel", found.kernel + ", " + found.architecture);
  row("processors", std::to_string(found.processors));
  row("memory", fmt::format("{:.1f} GiB", static_cast<double>(found.memory_bytes) / (1024.0 * 1024 * 1024)));
  row("namespaces of its own", found.namespaces);
  row("container", found.container.empty() ? "nothing shows one" : "yes: " + found.container);
  row("ran as", found.user);
  for (const auto& [name, value] : record.options) row(name, value);
  return section("environment", "Environment and options", table("<th></th><th></th>", rows)) +
         section("again", "To run it again", "<pre>" + escaped(record.again) + "</pre>\n");
}

}  // namespace

std::string html_report(const RunRecord& record) {
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>arena-chaos: {}, seed {}</title>\n<style>",
      name_of(record.verdict), record.plan.seed);
  page += kHtmlStyle;
  page += "</style></head><body><main>\n<header>\n" + head(record) + figures(record) + "</header>\n";
  page += violations(record);
  page += timeline(record);
  page += histograms(record);
  page += parts(record);
  page += invariants(record);
  page += coverage(record);
  page += odd_steps(record);
  page += final_states(record);
  page += environment(record);
  return page + "</main></body></html>\n";
}

}  // namespace arenad::chaos
