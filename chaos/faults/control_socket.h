// The control socket, used as no library uses it: what the faults of its clients have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "chaos/fault.h"
#include "chaos/random.h"
#include "chaos/rig/raw_control.h"

namespace arenad::chaos {

// As Fault::prepare: waits until there is an arenad that takes connections; players play on.
Result<void> wait_for_arenad(Stage& stage, const Strike& strike);

// Does it with a connection of its own that is closed afterwards. An error if there is nobody to connect to.
Result<void> with_connection(const Stage& stage, const std::function<void(test::RawControl&)>& use);

// So many connections, which stay open until the prop of this fault is taken away.
Result<void> hold_connections(Stage& stage, const std::string& fault, const Strike& strike, size_t count,
                              const std::string& first_bytes);
Result<void> drop_connections(Stage& stage, const std::string& fault, const Strike& strike);

// A whole request that arenad answers and that changes nothing.
std::string version_request();
// As it lies in a frame's header.
std::string word(uint32_t value);
std::string random_bytes(Random& random, size_t count);

}  // namespace arenad::chaos
