// Asks arenad what it says of an arena, as any client may, over a connection of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arenad/ids.h"
#include "chaos/onlooker.h"

namespace arenad::chaos {

struct ToldStatus {
  std::string state;
  uint64_t epoch = 0;
  uint64_t frame = 0;
  uint64_t durable_frame = 0;
  uint64_t restarts_total = 0;
};

class StatusClient {
 public:
  explicit StatusClient(std::string socket) : arenad_(std::move(socket)) {}

  // Nothing: no arenad answers at the moment, or it knows no such arena.
  std::optional<ToldStatus> ask(ArenaId arena);

 private:
  Onlooker arenad_;
};

}  // namespace arenad::chaos
