// The simulated arena-keeper: it holds what arenad has given it, and gives it to the next one.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <vector>

#include "supervisor/kept_names.h"
#include "tests/sim/region.h"

namespace arenad::sim {

using Pid = uint64_t;

struct KeepKey {
  ArenaId arena;
  KeptKind kind = KeptKind::region;
  uint64_t number = 0;  // epoch or channel
  auto operator<=>(const KeepKey&) const = default;
};

struct Kept {
  std::shared_ptr<Region> region;
  Pid pid = 0;
  std::shared_ptr<Channel> channel;
  Seat slot = 0;
  uint64_t player = 0;
};

class Keeper {
 public:
  void store(const KeepKey& key, Kept kept) { kept_.emplace(key, std::move(kept)); }
  void forget(const KeepKey& key) { kept_.erase(key); }
  void clear() { kept_.clear(); }
  [[nodiscard]] const std::map<KeepKey, Kept>& all() const { return kept_; }

 private:
  std::map<KeepKey, Kept> kept_;
};

}  // namespace arenad::sim
