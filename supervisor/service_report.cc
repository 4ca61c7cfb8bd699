#include "supervisor/service_report.h"

#include <fmt/format.h>

namespace arenad {
namespace {

constexpr uint64_t kTellEveryNs = 1'000'000'000;

bool is_due(const std::optional<uint64_t>& last_ns, uint64_t every_ns, uint64_t now_ns) {
  return !last_ns || now_ns - *last_ns >= every_ns;
}

std::string serving_text(const ServiceFacts& facts) {
  if (facts.arenas == 0) return facts.database_fails ? "no arenas; the database takes nothing" : "no arenas";
  std::string text = fmt::format("{} {}: {} running", facts.arenas, facts.arenas == 1 ? "arena" : "arenas", facts.running);
  if (facts.draining != 0) text += fmt::format(", {} draining", facts.draining);
  if (facts.recovering != 0) text += fmt::format(", {} recovering", facts.recovering);
  if (facts.failed != 0) text += fmt::format(", {} failed", facts.failed);
  if (facts.database_fails) text += "; the database takes nothing";
  return text;
}

}  // namespace

std::string status_text(const ServiceFacts& facts) {
  switch (facts.stage) {
    case ServiceFacts::Stage::adopting:
      return fmt::format("Adopting: {} of {} arenas are taken up", facts.arenas - facts.left, facts.arenas);
    case ServiceFacts::Stage::serving:
      return serving_text(facts);
    case ServiceFacts::Stage::stopping:
      return fmt::format("Stopping: {} of {} arenas are saved", facts.arenas - facts.left, facts.arenas);
  }
  return {};
}

bool ServiceReport::needs_time(const ServiceFacts& facts) {
  if (facts.stage == ServiceFacts::Stage::serving) return false;
  if (least_left_ && facts.left < *least_left_) has_moved_ = true;
  if (!least_left_ || facts.left < *least_left_) least_left_ = facts.left;
  return has_moved_ || facts.is_within_limit;
}

std::string ServiceReport::next(const ServiceFacts& facts, uint64_t now_ns) {
  if (facts.stage != stage_) {
    stage_ = facts.stage;
    told_ns_.reset();
    extended_ns_.reset();
    least_left_.reset();
    has_moved_ = false;
  }
  std::string message;
  if (feed_every_ns_ != 0 && is_due(fed_ns_, feed_every_ns_, now_ns)) {
    fed_ns_ = now_ns;
    message += "WATCHDOG=1\n";
  }
  if (is_due(told_ns_, kTellEveryNs, now_ns)) {
    std::string status = status_text(facts);
    if (status != told_) {
      told_ns_ = now_ns;
      message += "STATUS=" + status + "\n";
      told_ = std::move(status);
    }
  }
  if (needs_time(facts) && is_due(extended_ns_, kTellEveryNs, now_ns)) {
    extended_ns_ = now_ns;
    has_moved_ = false;
    message += "EXTEND_TIMEOUT_USEC=" + std::to_string(kExtensionUs) + "\n";
  }
  return message;
}

}  // namespace arenad
