// Asks arenad for its reports of an arena's deaths, as any client may, over a connection of its own. Like StatusClient it never waits
// for an arenad that is not there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arenad/ids.h"
#include "chaos/told_death.h"
#include "ipc/control_client.h"

namespace arenad::chaos {

// arenad keeps no more of an arena.
constexpr uint32_t kReportsOfAnArena = 100;

class DeathReports {
 public:
  explicit DeathReports(std::string socket) : socket_(std::move(socket)) {}

  // The newest of the arena; their `arena` is not set. Nothing: no arenad answers at the moment.
  std::optional<std::vector<ToldDeath>> ask(ArenaId arena);

 private:
  std::string socket_;
  std::optional<ControlClient> control_;
  uint64_t silent_until_ns_ = 0;
};

}  // namespace arenad::chaos
