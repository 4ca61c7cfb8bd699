// Asks arenad what it says of an arena, as any client may, over a connection of its own. It never waits for an arenad that is not there: the
// run's players must go on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arenad/ids.h"
#include "ipc/control_client.h"

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
  explicit StatusClient(std::string socket) : socket_(std::move(socket)) {}

  // Nothing: no arenad answers at the moment, or it knows no such arena.
  std::optional<ToldStatus> ask(ArenaId arena);

 private:
  std::string socket_;
  std::optional<ControlClient> control_;
  uint64_t silent_until_ns_ = 0;
};

}  // namespace arenad::chaos
