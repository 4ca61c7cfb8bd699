#include "cli/rollout_options.h"

#include <array>

#include <CLI/App.hpp>

#include "cli/duration_option.h"
#include "cli/suggestion.h"

namespace arenad::cli {
namespace {

Result<wire::OnFailure> parse_on_failure(const std::string& text) {
  static const std::array<std::string, 2> words{"stop", "rollback-all"};
  if (text == words[0]) return wire::OnFailure::STOP;
  if (text == words[1]) return wire::OnFailure::ROLLBACK_ALL;
  return make_error(ErrorCode::invalid,
                    "--on-failure: '" + text + "' is neither stop nor rollback-all" + did_you_mean(text, words));
}

}  // namespace

void RolloutOptions::add_to(CLI::App& verb) {
  verb.add_option("--canary", canary_text_, "So many arenas first, alone; 0: none; default 1")->option_text("N");
  verb.add_option("--batch", batch_text_, "Then so many at a time, or such a share of all; default 25%")->option_text("N|P%");
  add_duration_option(
      verb, "--probation", [this](uint64_t ms) { probation_ms_ = ms; },
      "How long an arena must run well with the new code; default 5s");
  verb.add_option("--probation-frames", probation_frames_text_, "And how many frames; default 100")->option_text("N");
  verb.add_option("--on-failure", on_failure_text_,
                  "When one fails: stop there, or rollback-all, also those that have passed; default stop")
      ->option_text("stop|rollback-all");
  verb.add_flag("--dry-run", dry_run_, "Says what would be done, and changes nothing");
  verb.add_flag("--no-wait", no_wait_, "Does not wait for the end");
}

Result<void> RolloutOptions::check() {
  const auto canary = parse_count("--canary", canary_text_);
  if (!canary) return canary.error();
  const auto batch = parse_batch_size(batch_text_);
  if (!batch) return batch.error();
  const auto frames = parse_count("--probation-frames", probation_frames_text_);
  if (!frames) return frames.error();
  const auto on_failure = parse_on_failure(on_failure_text_);
  if (!on_failure) return on_failure.error();
  canary_ = canary.value();
  batch_ = batch.value();
  probation_frames_ = frames.value();
  on_failure_ = on_failure.value();
  return {};
}

void RolloutOptions::fill(wire::Reload::Builder reload) const {
  reload.setCanary(canary_);
  reload.setBatch(batch_.arenas);
  reload.setBatchPercent(batch_.percent);
  reload.setProbationMs(probation_ms_);
  reload.setProbationFrames(probation_frames_);
  reload.setOnFailure(on_failure_);
  reload.setDryRun(dry_run_);
}

}  // namespace arenad::cli
