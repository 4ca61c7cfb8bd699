// Asks arenad for its reports of an arena's deaths, as any client may, over a connection of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arenad/ids.h"
#include "chaos/onlooker.h"
#include "chaos/told_death.h"

namespace arenad::chaos {

// arenad keeps no more of an arena.
constexpr uint32_t kReportsOfAnArena = 100;

class DeathReports {
 public:
  explicit DeathReports(std::string socket) : arenad_(std::move(socket)) {}

  // The newest of the arena; their `arena` is not set. Nothing: no arenad answers at the moment.
  std::optional<std::vector<ToldDeath>> ask(ArenaId arena);

 private:
  Onlooker arenad_;
};

}  // namespace arenad::chaos
