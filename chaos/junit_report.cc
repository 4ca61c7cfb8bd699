#include "chaos/junit_report.h"

#include <fmt/format.h>
#include <numeric>

#include "chaos/markup.h"

namespace arenad::chaos {
namespace {

class Suite {
 public:
  Suite(std::string name, std::string started) : name_(std::move(name)), started_(std::move(started)) {}

  void passed(const std::string& name, double seconds) { add(name, seconds, ""); }
  void failed(const std::string& name, double seconds, const std::string& message, const std::string& text) {
    ++failures_;
    add(name, seconds, fmt::format("<failure message=\"{}\">{}</failure>", escaped(message), escaped(text)));
  }
  void skipped(const std::string& name, const std::string& why) {
    ++skipped_;
    add(name, 0, fmt::format("<skipped message=\"{}\"/>", escaped(why)));
  }
  void error(const std::string& name, const std::string& why) {
    ++errors_;
    add(name, 0, fmt::format("<error message=\"{}\"/>", escaped(why)));
  }
  [[nodiscard]] std::string xml() const {
    return fmt::format(
        " <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\" "
        "timestamp=\"{}\">\n{} "
        "</testsuite>\n",
        escaped(name_), tests_, failures_, errors_, skipped_, seconds_, escaped(started_), cases_);
  }

 private:
  void add(const std::string& name, double seconds, const std::string& inside) {
    ++tests_;
    seconds_ += seconds;
    cases_ += fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">{}</testcase>\n", escaped(name_),
                          escaped(name), seconds, inside);
  }
  std::string name_;
  std::string started_;
  std::string cases_;
  size_t tests_ = 0;
  size_t failures_ = 0;
  size_t errors_ = 0;
  size_t skipped_ = 0;
  double seconds_ = 0;
};

std::string violations_text(const RunRecord& record, Invariant invariant) {
  std::string text;
  for (const Violation& violation : record.invariants.kept()) {
    if (violation.invariant != invariant) continue;
    text += fmt::format("{:.3f} s {}: {}\n", static_cast<double>(violation.at_ms) / 1000, violation.arena, violation.text);
  }
  return text;
}

Suite invariants(const RunRecord& record) {
  Suite suite("arena-chaos.invariants", record.started);
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    const uint64_t violated = record.invariants.violations(invariant);
    if (violated != 0) {
      suite.failed(name_of(invariant), 0, fmt::format("{} violations: {}", violated, meaning_of(invariant)),
                   violations_text(record, invariant));
    } else if (record.invariants.looked_at(invariant) == 0) {
      suite.skipped(name_of(invariant), "never looked at");
    } else {
      suite.passed(name_of(invariant), 0);
    }
  }
  return suite;
}

Suite faults(const RunRecord& record) {
  Suite suite("arena-chaos.faults", record.started);
  for (const KindRecord& kind : record.kinds) {
    const double seconds = std::accumulate(kind.took.sorted.begin(), kind.took.sorted.end(), 0.0) / 1000;
    if (kind.is_not_run()) {
      suite.skipped(kind.name, kind.why_not);
    } else if (kind.fired == 0) {
      suite.failed(kind.name, 0, fmt::format("planned {} times, and never there", kind.planned), kind.why_not);
    } else if (kind.recovered != kind.fired) {
      suite.failed(kind.name, seconds, fmt::format("{} of {} were recovered from", kind.recovered, kind.fired), kind.holds);
    } else {
      suite.passed(kind.name, seconds);
    }
  }
  return suite;
}

// Their times are the medians.
Suite recovery_parts(const RunRecord& record) {
  Suite suite("arena-chaos.recovery", record.started);
  const RecoveryParts parts = record.parts();
  const uint64_t violated = record.invariants.violations(Invariant::times);
  for (const NamedPart& part : kNamedParts) {
    const Durations& durations = parts.*part.durations;
    if (durations.sorted.empty()) {
      suite.skipped(part.name, "nothing was recovered from");
    } else if (violated != 0) {
      suite.failed(part.name, durations.quantile(0.5) / 1000, fmt::format("{} violations of times", violated),
                   durations.text());
    } else {
      suite.passed(part.name, durations.quantile(0.5) / 1000);
    }
  }
  return suite;
}

Suite run(const RunRecord& record) {
  Suite suite("arena-chaos.run", record.started);
  if (!record.broke.empty()) {
    suite.error("goes to its end", record.broke);
  } else if (record.cut_short) {
    suite.error("goes to its end", "cut short");
  } else {
    suite.passed("goes to its end", record.seconds);
  }
  if (record.verdict == Verdict::vacuous) {
    suite.failed("shows something", 0, record.reasons.empty() ? "" : record.reasons.front(), "");
  }
  return suite;
}

}  // namespace

std::string junit_report(const RunRecord& record) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"arena-chaos\">\n" + run(record).xml() +
         invariants(record).xml() + faults(record).xml() + recovery_parts(record).xml() + "</testsuites>\n";
}

}  // namespace arenad::chaos
