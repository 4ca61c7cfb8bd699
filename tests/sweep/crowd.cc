#include "tests/sweep/crowd.h"

#include <fmt/format.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::sweep {
namespace {

constexpr uint64_t kDeadlineNs = 300 * kSecond;
constexpr uint64_t kSayEveryNs = 20 * kMillisecond;

}  // namespace

Result<void> Crowd::begin(Rig& rig, const std::string& name, uint64_t arenas, uint32_t hz) {
  for (uint64_t i = 0; i < arenas; ++i) {
    const ArenaId id = ArenaId::make(unix_ms(), i, random_u64());
    if (auto started = rig.start_arena(id, fmt::format("{}{}", name, i), "ledger", hz); !started) return started;
    players_.push_back(std::make_unique<test::LedgerPlayer>(rig.socket(), "ann"));
    if (auto attached = players_.back()->attach(id); !attached) return attached;
  }
  return {};
}

void Crowd::play() {
  const bool says = monotonic_ns() - said_ns_ > kSayEveryNs;
  if (says) said_ns_ = monotonic_ns();
  for (auto& player : players_) {
    if (says) (void)player->say();
    player->listen();
  }
  ::usleep(1000);
}

std::vector<std::string> Crowd::end() {
  std::vector<std::string> problems;
  const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
  for (auto& player : players_) {
    while (!player->hears_all() && player->gone().empty() && monotonic_ns() < deadline_ns) {
      player->listen();
      ::usleep(500);
    }
    if (!player->hears_all()) problems.push_back(fmt::format("{} entries were written, not all came back", player->said()));
    if (!player->complaint().empty()) problems.push_back(player->complaint());
    if (!player->gone().empty()) problems.push_back("a player has lost the arena: " + player->gone());
  }
  return problems;
}

}  // namespace arenad::sweep
