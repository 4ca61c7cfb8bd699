// A connection to arenad of somebody who only looks on: it never waits for an arenad that is not there, because the run's players must go on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ipc/control_client.h"

namespace arenad::chaos {

class Onlooker {
 public:
  explicit Onlooker(std::string socket) : socket_(std::move(socket)) {}

  // Nothing: no arenad answers at the moment. One that was silent is left alone for a while.
  std::optional<ControlIncoming> ask(const std::function<void(wire::Request::Builder)>& fill);

 private:
  std::string socket_;
  std::optional<ControlClient> control_;
  uint64_t silent_until_ns_ = 0;
};

}  // namespace arenad::chaos
