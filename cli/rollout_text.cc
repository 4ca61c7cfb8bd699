#include "cli/rollout_text.h"

#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "cli/code_text.h"
#include "cli/page.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

using Rollout = wire::Rollout::Reader;

std::string shown(capnp::Text::Reader text) {
  return printable(text_of(text));
}

std::string old_version(Rollout rollout) {
  return version_label(text_of(rollout.getFromVersion()), text_of(rollout.getFromCode()));
}

std::string new_version(Rollout rollout) {
  return version_label(text_of(rollout.getToVersion()), text_of(rollout.getToCode()));
}

bool has_other_runtime(Rollout rollout) {
  return rollout.getFromRuntime() != rollout.getToRuntime();
}

std::string runtime_text(capnp::Text::Reader code) {
  return code.size() == 0 ? "?" : printable(short_code(text_of(code)));
}

std::string arenas_text(uint32_t count) {
  return count == 1 ? "1 arena" : fmt::format("{} arenas", count);
}

std::string counts_text(Rollout rollout) {
  std::string text = fmt::format("{} passed, {} on probation, {} waiting", rollout.getPassed(), rollout.getOnProbation(),
                                 rollout.getWaiting());
  const auto add_if_any = [&](uint32_t count, std::string_view what) {
    if (count != 0) text += fmt::format(", {} {}", count, what);
  };
  add_if_any(rollout.getFailures().size(), "failed");
  add_if_any(rollout_given_back(rollout), "given back");
  add_if_any(rollout.getGone(), "gone");
  return text;
}

std::string fates_text(Rollout rollout) {
  std::vector<std::string> fates;
  const auto add_if_any = [&](uint32_t count, const std::string& what) {
    if (count != 0) fates.push_back(fmt::format("{} {}", count, what));
  };
  add_if_any(rollout.getFailures().size(), "failed");
  add_if_any(rollout.getPassed(), fmt::format("{} {} now", rollout.getPassed() == 1 ? "runs" : "run", new_version(rollout)));
  add_if_any(rollout_given_back(rollout),
             fmt::format("{} {} again", rollout_given_back(rollout) == 1 ? "has" : "have", old_version(rollout)));
  add_if_any(rollout.getWaiting(), fmt::format("{} not begun, and {} {}", rollout.getWaiting() == 1 ? "was" : "were",
                                               rollout.getWaiting() == 1 ? "keeps" : "keep", old_version(rollout)));
  add_if_any(rollout.getGone(), "ended meanwhile");
  if (fates.empty()) fates.emplace_back("it concerned no arena");
  return fmt::format("{}", fmt::join(fates, "; "));
}

std::string elapsed_text(Rollout rollout) {
  return duration_text(static_cast<double>(rollout.getElapsedMs()) * 1000);
}

std::string block_of(Rollout rollout, Colour colour) {
  Page page;
  page.add_raw(painted(shown(rollout.getGame()), Tone::heading, colour) + ": " +
               painted(shown(rollout.getState()), rollout_tone(rollout), colour) + "\n");
  page.add("rollout", fmt::format("{}", rollout.getId()));
  page.add("from", old_version(rollout));
  page.add("to", new_version(rollout));
  if (has_other_runtime(rollout)) {
    page.add("runtime",
             fmt::format("from {} to {}", runtime_text(rollout.getFromRuntime()), runtime_text(rollout.getToRuntime())));
  }
  page.add("arenas", fmt::format("{}: {}", rollout.getTotal(), counts_text(rollout)));
  if (rollout.getPinned() != 0) page.add("pinned", fmt::format("{}, left out", rollout.getPinned()));
  for (const std::string& failure : rollout_failures(rollout)) page.add("failed", painted(failure, Tone::bad, colour));
  page.add("elapsed", elapsed_text(rollout));
  return page.text();
}

}  // namespace

uint32_t rollout_given_back(Rollout rollout) {
  const uint64_t others = uint64_t{rollout.getPassed()} + rollout.getOnProbation() + rollout.getWaiting() + rollout.getGone() +
                          rollout.getFailures().size();
  return rollout.getTotal() > others ? static_cast<uint32_t>(rollout.getTotal() - others) : 0;
}

Tone rollout_tone(Rollout rollout) {
  if (!rollout.getIsOver()) return rollout.getFailures().size() == 0 ? Tone::changing : Tone::bad;
  return text_of(rollout.getState()) == "done" ? Tone::good : Tone::bad;
}

std::string rollout_heading(Rollout rollout) {
  std::string text = fmt::format("{}: from {} to {}", shown(rollout.getGame()), old_version(rollout), new_version(rollout));
  if (has_other_runtime(rollout)) text += fmt::format(" with runtime {}", runtime_text(rollout.getToRuntime()));
  text += ", " + arenas_text(rollout.getTotal());
  if (rollout.getPinned() != 0) {
    text += fmt::format(", {} pinned {} left out", rollout.getPinned(), rollout.getPinned() == 1 ? "is" : "are");
  }
  return text;
}

std::string rollout_progress(Rollout rollout) {
  return shown(rollout.getState()) + ": " + counts_text(rollout);
}

std::string rollout_outcome(Rollout rollout) {
  return fmt::format("{}: {} after {}: {}", shown(rollout.getGame()), shown(rollout.getState()), elapsed_text(rollout),
                     fates_text(rollout));
}

std::vector<std::string> rollout_failures(Rollout rollout) {
  std::vector<std::string> lines;
  for (const auto failure : rollout.getFailures()) {
    const std::string name = text_of(failure.getName());
    lines.push_back(printable(name.empty() ? text_of(failure.getId()) : name) + ": " + shown(failure.getWhy()));
  }
  return lines;
}

std::string render_rollouts(capnp::List<wire::Rollout>::Reader rollouts, Colour colour) {
  std::string text;
  for (const Rollout rollout : rollouts) text += (text.empty() ? "" : "\n") + block_of(rollout, colour);
  return text;
}

}  // namespace arenad::cli
