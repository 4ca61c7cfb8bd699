#include "chaos/sweep/call_course.h"

#include <algorithm>

namespace arenad::sweep {
namespace {

// Also of a call that is made less often than that, one hit is tried.
uint64_t first_of(const CallExtent& extent, uint64_t seen) {
  if (extent.kind != CallExtent::Kind::some) return 1;
  return seen == 0 ? extent.first : 1 + (extent.first - 1) % std::min(extent.every, seen);
}

}  // namespace

CallCourse::CallCourse(const CallExtent& extent, uint64_t seen) : extent_(extent), seen_(seen), hit_(first_of(extent, seen)) {
  if (extent.kind != CallExtent::Kind::first_last) return;
  for (const uint64_t hit : {uint64_t{1}, (seen + 1) / 2, seen}) {
    if (hit != 0 && hit <= seen && (hits_.empty() || hit > hits_.back())) hits_.push_back(hit);
  }
}

std::optional<uint64_t> CallCourse::next() const {
  if (is_over_) return std::nullopt;
  if (extent_.kind != CallExtent::Kind::first_last) return hit_;
  if (at_ == hits_.size()) return std::nullopt;
  return hits_[at_];
}

void CallCourse::tried(bool has_fired) {
  const auto hit = next();
  if (!hit) return;
  if (has_fired) {
    ++fired_;
    return go_on();
  }
  if (++in_vain_ < (*hit <= seen_ ? kTriesOfSeenHit : kTriesBeyond)) return;
  if (extent_.kind == CallExtent::Kind::first_last) return go_on();
  is_over_ = true;
}

void CallCourse::go_on() {
  in_vain_ = 0;
  switch (extent_.kind) {
    case CallExtent::Kind::all:
      ++hit_;
      break;
    case CallExtent::Kind::some:
      hit_ += extent_.every;
      break;
    case CallExtent::Kind::first_last:
      ++at_;
      break;
  }
  if (hit_ > kMostCallHits) is_over_ = true;
}

std::vector<CallWay> ways_of(const IoCall& call) {
  std::vector<CallWay> ways{{}};
  for (const int error : call.errors) {
    if (error != 0) ways.push_back({error, Lasting::once});
  }
  for (const int error : call.lasting) {
    if (error != 0) ways.push_back({error, Lasting::for_a_while});
  }
  return ways;
}

}  // namespace arenad::sweep
