#include "supervisor/lifecycle_log.h"

#include <algorithm>
#include <limits>

#include "ipc/clock.h"

namespace arenad {
namespace {

constexpr size_t kMaxTextBytes = 1000;
// The first refusal may be another record's.
constexpr unsigned kRefusalsOfTheWhole = 2;
constexpr unsigned kAnyRefusals = std::numeric_limits<unsigned>::max();

// Each detail is a line of its own in the database, key=value.
std::string made_to_fit(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kMaxTextBytes) text.resize(kMaxTextBytes);
  return text;
}

std::string key_made_to_fit(std::string key) {
  key = made_to_fit(std::move(key));
  std::ranges::replace(key, '=', '_');
  return key;
}

Packed pack(const LifecycleRecord& event) {
  Packer fields;
  fields.number(event.number)
      .text(event.type)
      .text(event.arena)
      .text(event.name)
      .text(event.game)
      .number(static_cast<uint64_t>(event.at_unix_ms))
      .number(event.epoch)
      .number(event.frame)
      .number(event.details.size());
  for (const auto& [key, value] : event.details) fields.text(key).text(value);
  return fields.packed();
}

LifecycleLog::Facts facts_of(Unpacker& fields) {
  LifecycleLog::Facts facts;
  facts.number = fields.number();
  facts.type = fields.text();
  facts.arena = fields.text();
  facts.name = fields.text();
  facts.game = fields.text();
  return facts;
}

LifecycleLog::Facts facts_of(std::string_view event) {
  Unpacker fields(event);
  return facts_of(fields);
}

uint64_t number_of(std::string_view event) {
  return Unpacker(event).number();
}

LifecycleRecord unpack(std::string_view packed) {
  Unpacker fields(packed);
  const LifecycleLog::Facts facts = facts_of(fields);
  LifecycleRecord event;
  event.number = facts.number;
  event.type = facts.type;
  event.arena = facts.arena;
  event.name = facts.name;
  event.game = facts.game;
  event.at_unix_ms = static_cast<int64_t>(fields.number());
  event.epoch = fields.number();
  event.frame = fields.number();
  event.details.resize(fields.number());
  for (auto& [key, value] : event.details) {
    key = fields.text();
    value = fields.text();
  }
  return event;
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
    : store_(store), last_given_(kept.empty() ? 0 : kept.back().number) {
  for (const LifecycleRecord& event : kept) kept_.push_back(pack(event).bytes());
}

uint64_t LifecycleLog::oldest() const {
  return kept_.empty() ? 0 : number_of(kept_.front());
}

uint64_t LifecycleLog::last() const {
  return kept_.empty() ? 0 : number_of(kept_.back());
}

void LifecycleLog::add(LifecycleEvent event, LifecycleRecord about) {
  about.number = ++last_given_;
  about.at_unix_ms = static_cast<int64_t>(unix_ms());
  about.type = to_string(event);
  about.name = made_to_fit(std::move(about.name));
  about.game = made_to_fit(std::move(about.game));
  for (auto& [key, value] : about.details) {
    key = key_made_to_fit(std::move(key));
    value = made_to_fit(std::move(value));
  }
  pending_.push_back({pack(about)});
  submit(pending_.back().event);
  while (pending_.size() > kLifecycleEventsKept) pending_.pop_front();
}

void LifecycleLog::submit(const Packed& event) {
  StoreBatch batch;
  batch.lifecycle.push_back(unpack(event.bytes()));
  store_.submit(std::move(batch),
                [this, number = number_of(event.bytes())](const Result<void>& result) { answered(number, result); });
}

LifecycleLog::Pending* LifecycleLog::find_pending(uint64_t number) {
  if (pending_.empty()) return nullptr;
  const uint64_t first = number_of(pending_.front().event.bytes());
  return number < first || number > last_given_ ? nullptr : &pending_[number - first];
}

void LifecycleLog::answered(uint64_t number, const Result<void>& result) {
  if (number == retried_) retried_ = 0;
  // It waits in the store with the others, who tell when they are written: then it is asked for again.
  if (!result && result.error().code == ErrorCode::exhausted) {
    if (Pending* pending = find_pending(number); pending != nullptr) pending->refusals = std::max(pending->refusals, 1U);
    has_refused_ = true;
    return;
  }
  // Anything else is the end: the store was stopped.
  if (!result && result.error().code != ErrorCode::invalid) return;
  if (Pending* pending = find_pending(number); pending != nullptr && result) {
    pending->is_durable = true;
    keep_durable();
  } else if (pending != nullptr) {
    refused(*pending);
  }
  // What is refused even without its text waits until something else is stored.
  if (has_refused_ && retried_ == 0) retry_first_refused(result ? kAnyRefusals : kRefusalsOfTheWhole);
}

void LifecycleLog::refused(Pending& pending) {
  has_refused_ = true;
  if (++pending.refusals != kRefusalsOfTheWhole) return;
  const LifecycleRecord whole = unpack(pending.event.bytes());
  pending.event = pack({.number = whole.number, .at_unix_ms = whole.at_unix_ms, .type = whole.type});
}

void LifecycleLog::keep_durable() {
  while (!pending_.empty() && pending_.front().is_durable) {
    // Some in between were too many to wait: what came before them is no more of use to whoever wants all.
    if (number_of(pending_.front().event.bytes()) != last() + 1) kept_.clear();
    kept_.push_back(pending_.front().event.bytes());
    pending_.pop_front();
  }
}

// Those that come after it in the database already are told when it is there.
void LifecycleLog::retry_first_refused(unsigned most_refusals) {
  const auto first =
      std::ranges::find_if(pending_, [](const Pending& pending) { return pending.refusals != 0 && !pending.is_durable; });
  has_refused_ = first != pending_.end();
  if (!has_refused_ || first->refusals > most_refusals) return;
  retried_ = number_of(first->event.bytes());
  submit(first->event);
}

void LifecycleLog::save_anew() {
  StoreBatch batch;
  for (size_t i = 0; i < kept_.size(); ++i) batch.lifecycle.push_back(unpack(kept_[i]));
  // The one that is gone may have had them, and not told yet.
  for (const Pending& pending : pending_) batch.lifecycle.push_back(unpack(pending.event.bytes()));
  if (!batch.empty()) store_.submit(std::move(batch), [](const Result<void>&) {});
}

LifecycleLog::Page LifecycleLog::newest(const Wanted& wanted, size_t limit) const {
  Page page{.events = {}, .next = last()};
  for (size_t i = kept_.size(); i-- > 0 && page.events.size() < limit;) {
    if (wanted(facts_of(kept_[i]))) page.events.push_back(unpack(kept_[i]));
  }
  std::ranges::reverse(page.events);
  return page;
}

LifecycleLog::Page LifecycleLog::after(uint64_t number, const Wanted& wanted, size_t limit) const {
  Page page{.events = {}, .next = last()};
  // There is no gap in the numbers.
  for (size_t i = number < oldest() ? 0 : number - oldest() + 1; i < kept_.size(); ++i) {
    if (!wanted(facts_of(kept_[i]))) continue;
    if (page.events.size() == limit) {
      page.next = page.events.back().number;
      break;
    }
    page.events.push_back(unpack(kept_[i]));
  }
  return page;
}

}  // namespace arenad
