// gate: whether new code plays a recorded match as well as before. Needs no arenad.
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/desk.h"
#include "cli/gate_report.h"
#include "cli/table_options.h"
#include "cli/text_file.h"
#include "ipc/printable.h"
#include "ipc/recording.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kMaxRounds = 1000;
constexpr uint64_t kDefaultRounds = 5;

Result<std::string> content_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) return make_error(ErrorCode::invalid, "cannot read " + path);
  return content.str();
}

std::string text_of_recording(const Recording& recording) {
  return fmt::format("{} of {}, epoch {}, {} frames from {} on", recording.arena.text(), recording.game, recording.epoch.value,
                     recording.frames.size(), recording.frames.empty() ? 0 : recording.frames.front().record().frame);
}

std::string text_of_side(const std::string& file, const GateSide& side) {
  return fmt::format("{}, version {}", printable(file), printable(side.version));
}

class GateCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {
        .name = "gate",
        .summary = "Runs a recorded match in new code, and fails if it is slower or does something else",
        .example = "arenactl gate battle.recording --module new.so --against old.so",
        .details =
            "For the CI of a game. RECORDING is what arenactl export has saved; arenad is not needed. The recording is run in\n"
            "the new code and in the old, turn by turn, each several times in a process of its own, and each frame's time is\n"
            "its shortest. Without --against the new code is compared with a baseline, which the same machine should have\n"
            "written, or with the recording alone, which has outputs and no times.\n"
            "Outputs, final state and number of frames must be the same if both codes have the same version, and may differ\n"
            "if not; results, which are what a match is played for, must be the same: --outputs and --results say otherwise.\n"
            "Of --json there is no file: it is standard output. --timeout is for each run; default none.\n"
            "Exit code 8: the new code is slower than is allowed, or does something else.\n\n"
            "Examples:\n"
            "  arenactl gate battle.recording --module new.so --against old.so --max-slower 5\n"
            "  arenactl gate battle.recording --module old.so --write-baseline before.json\n"
            "  arenactl gate battle.recording --module new.so --baseline before.json --junit gate.xml\n"
            "  arenactl gate battle.recording --module new.so --against old.so --results any --json\n\n" +
            table_.help(),
        .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("RECORDING", recording_file_, "A file of arenactl export")->required()->option_text(" ");
    app.add_option("--module", module_, "The new code")->required()->option_text("FILE");
    auto* against = app.add_option("--against", against_, "The old code")->option_text("FILE");
    app.add_option("--baseline", baseline_file_, "What --write-baseline has kept of the old code")
        ->option_text("FILE")
        ->excludes(against);
    app.add_option("--write-baseline", baseline_out_, "Keeps what was measured of the new code")->option_text("FILE");
    app.add_option("--max-slower", policy_.max_slower_percent, "How much slower frames may be; default 10")
        ->check(CLI::Range(0.0, 1e6))
        ->option_text("PERCENT");
    app.add_option("--outputs", outputs_text_, "same: they must not change; any; default: same within a version")
        ->option_text("WHICH");
    app.add_option("--results", results_text_, "same, any; default same")->option_text("WHICH");
    app.add_option("--rounds", rounds_text_, fmt::format("How often each code runs it; default {}", kDefaultRounds))
        ->option_text("N");
    app.add_option("--junit", junit_file_, "Writes what was found for a CI too")->option_text("FILE");
    app.add_option("--worker", worker_, "The program arena-worker; default the one beside arenactl")->option_text("FILE");
    table_.add_to(app);
  }

  ExitCode run(const Session& session) override {
    const auto passed = try_run(session);
    if (!passed) return session.fail(passed.error());
    return passed.value() ? ExitCode::ok : ExitCode::gate_failed;
  }

 private:
  // Whether the new code passes.
  Result<bool> try_run(const Session& session) {
    if (auto prepared = prepare(); !prepared) return prepared.error();
    const auto bytes = content_of_file(recording_file_);
    if (!bytes) return bytes.error();
    const auto recording = decode_recording(bytes.value());
    if (!recording) return make_error(ErrorCode::invalid, recording_file_ + ": " + recording.error().text());
    GateReport report{.recording = text_of_recording(recording.value()), .before = {}, .after = {}, .checks = {}};
    std::optional<GateSide> before;
    if (!baseline_file_.empty()) {
      auto read = read_baseline_file(report.recording);
      if (!read) return read.error();
      before = std::move(read.value());
      report.before = text_of_side(baseline_file_, *before);
    }
    if (auto ran = run_rounds(session); !ran) return ran.error();
    const auto after = side_of(new_runs_);
    if (!after) return after.error();
    if (!against_.empty()) {
      auto old = side_of(old_runs_);
      if (!old) return old.error();
      before = std::move(old.value());
      report.before = text_of_side(against_, *before);
    }
    report.after = text_of_side(module_, after.value());
    report.checks = gate_checks(before ? &*before : nullptr, after.value(), recording.value().game_version, policy_);
    if (auto written = write_files(report, after.value()); !written) return written.error();
    tell(session, report);
    return has_passed(report.checks);
  }

  [[nodiscard]] Result<void> prepare() {
    if (auto checked = table_.check(); !checked) return checked;
    const auto rounds = parse_count("--rounds", rounds_text_, kMaxRounds, kDefaultRounds);
    if (!rounds) return rounds.error();
    rounds_ = rounds.value();
    if (worker_.empty()) worker_ = worker_beside_self();
    const auto outputs = wanted("--outputs", outputs_text_);
    if (!outputs) return outputs.error();
    policy_.outputs = outputs.value();
    const auto results = wanted("--results", results_text_);
    if (!results) return results.error();
    policy_.results = results.value().value_or(Wanted::same);
    return {};
  }

  static Result<std::optional<Wanted>> wanted(const char* option, const std::string& text) {
    if (text.empty()) return std::optional<Wanted>();
    if (text == "same") return std::optional(Wanted::same);
    if (text == "any") return std::optional(Wanted::any);
    return make_error(ErrorCode::invalid, fmt::format("{}: '{}' is neither same nor any", option, text));
  }

  [[nodiscard]] Result<GateSide> read_baseline_file(const std::string& recording) const {
    const auto text = content_of_file(baseline_file_);
    if (!text) return text.error();
    auto side = read_baseline(text.value(), recording);
    if (!side) return make_error(ErrorCode::invalid, baseline_file_ + ": " + side.error().message);
    return side;
  }

  // Turn by turn, and each first in every other round: what happens on the machine meanwhile happens to both.
  Result<void> run_rounds(const Session& session) {
    for (uint64_t round = 0; round < rounds_; ++round) {
      session.console.progress(fmt::format("round {} of {}", round + 1, rounds_));
      const bool is_new_first = round % 2 == 0;
      if (auto ran = is_new_first ? run_new(session) : run_old(session); !ran) return ran;
      if (auto ran = is_new_first ? run_old(session) : run_new(session); !ran) return ran;
    }
    return {};
  }
  Result<void> run_new(const Session& session) { return run_one(session, module_, new_runs_); }
  Result<void> run_old(const Session& session) {
    return against_.empty() ? Result<void>() : run_one(session, against_, old_runs_);
  }
  Result<void> run_one(const Session& session, const std::string& module, std::vector<ReplayTimes>& runs) const {
    auto run = run_at_desk({worker_, recording_file_, module, session.timeout_ms});
    if (!run) return run.error();
    runs.push_back(std::move(run.value()));
    return {};
  }

  [[nodiscard]] Result<void> write_files(const GateReport& report, const GateSide& after) const {
    if (!junit_file_.empty()) {
      if (auto written = write_text_file(junit_file_, gate_junit(report)); !written) return written;
    }
    if (baseline_out_.empty()) return {};
    return write_text_file(baseline_out_, baseline_json(report.recording, after));
  }

  void tell(const Session& session, const GateReport& report) const {
    const Console& console = session.console;
    if (session.format == Format::json) return console.data(gate_json(report));
    console.data(table_.text(gate_table(report.checks), console.colour()));
    console.note(fmt::format("{}: {}; before: {}; after: {}; the shortest of {} runs each",
                             has_passed(report.checks) ? "passed" : "failed", report.recording,
                             report.before.empty() ? "the recording" : report.before, report.after, rounds_));
  }

  std::string recording_file_;
  std::string module_;
  std::string against_;
  std::string baseline_file_;
  std::string baseline_out_;
  std::string junit_file_;
  std::string worker_;
  std::string outputs_text_;
  std::string results_text_;
  std::string rounds_text_;
  uint64_t rounds_ = kDefaultRounds;
  GatePolicy policy_;
  TableOptions table_{gate_table({})};
  std::vector<ReplayTimes> new_runs_;
  std::vector<ReplayTimes> old_runs_;
};

}  // namespace

std::unique_ptr<Command> gate_command() {
  return std::make_unique<GateCommand>();
}

}  // namespace arenad::cli
