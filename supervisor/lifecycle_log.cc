#include "supervisor/lifecycle_log.h"

#include <algorithm>

#include "ipc/clock.h"

namespace arenad {
namespace {

constexpr size_t kMaxValueBytes = 1000;

// A line of its own in the database.
std::string made_to_fit(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kMaxValueBytes) text.resize(kMaxValueBytes);
  return text;
}

}  // namespace

const char* to_string(LifecycleEvent event) {
  switch (event) {
    case LifecycleEvent::started:
      return "started";
    case LifecycleEvent::ready:
      return "ready";
    case LifecycleEvent::died:
      return "died";
    case LifecycleEvent::recovered:
      return "recovered";
    case LifecycleEvent::adopted:
      return "adopted";
    case LifecycleEvent::resumed:
      return "resumed";
    case LifecycleEvent::handing_over:
      return "handing-over";
    case LifecycleEvent::handed_over:
      return "handed-over";
    case LifecycleEvent::passed:
      return "passed";
    case LifecycleEvent::taken_back:
      return "taken-back";
    case LifecycleEvent::draining:
      return "draining";
    case LifecycleEvent::undrained:
      return "undrained";
    case LifecycleEvent::quarantined:
      return "quarantined";
    case LifecycleEvent::stopped:
      return "stopped";
    case LifecycleEvent::ended:
      return "ended";
    case LifecycleEvent::failed:
      return "failed";
    case LifecycleEvent::lost:
      return "lost";
    case LifecycleEvent::rollout_begun:
      return "rollout-begun";
    case LifecycleEvent::rollout_step:
      return "rollout-step";
    case LifecycleEvent::rollout_over:
      return "rollout-over";
    case LifecycleEvent::arenad_started:
      return "arenad-started";
    case LifecycleEvent::arenad_upgraded:
      return "arenad-upgraded";
    case LifecycleEvent::arenad_stopping:
      return "arenad-stopping";
    case LifecycleEvent::config_reloaded:
      return "config-reloaded";
  }
  return "?";
}

LifecycleLog::LifecycleLog(StoreThread& store, std::vector<LifecycleRecord> kept)
    : store_(store),
      last_given_(kept.empty() ? 0 : kept.back().number),
      kept_(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end())) {}

void LifecycleLog::add(LifecycleEvent event, LifecycleRecord about) {
  about.number = ++last_given_;
  about.at_unix_ms = static_cast<int64_t>(unix_ms());
  about.type = to_string(event);
  for (auto& [key, value] : about.details) value = made_to_fit(std::move(value));
  StoreBatch batch;
  batch.lifecycle.push_back(about);
  pending_.push_back(std::move(about));
  store_.submit(std::move(batch), [this, number = last_given_](const Result<void>& result) {
    if (result) committed(number);
  });
}

void LifecycleLog::committed(uint64_t number) {
  while (!pending_.empty() && pending_.front().number <= number) {
    kept_.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  while (kept_.size() > kLifecycleEventsKept) kept_.pop_front();
}

void LifecycleLog::save_anew() {
  StoreBatch batch;
  batch.lifecycle.assign(kept_.begin(), kept_.end());
  if (!batch.empty()) store_.submit(std::move(batch), [](const Result<void>&) {});
}

LifecycleLog::Page LifecycleLog::newest(const Wanted& wanted, size_t limit) const {
  Page page{.events = {}, .next = last()};
  for (auto event = kept_.rbegin(); event != kept_.rend() && page.events.size() < limit; ++event) {
    if (wanted(*event)) page.events.push_back(&*event);
  }
  std::ranges::reverse(page.events);
  return page;
}

LifecycleLog::Page LifecycleLog::after(uint64_t number, const Wanted& wanted, size_t limit) const {
  Page page{.events = {}, .next = last()};
  for (auto event = std::ranges::upper_bound(kept_, number, {}, &LifecycleRecord::number); event != kept_.end(); ++event) {
    if (!wanted(*event)) continue;
    if (page.events.size() == limit) {
      page.next = page.events.back()->number;
      break;
    }
    page.events.push_back(&*event);
  }
  return page;
}

}  // namespace arenad
