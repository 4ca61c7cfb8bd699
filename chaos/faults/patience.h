// How long a fault waits for what must be there before it can strike: far beyond what it takes, also if something else is being recovered from.
#pragma once

#include <cstdint>

#include "ipc/clock.h"

namespace arenad::chaos {

constexpr uint64_t kFaultPatienceNs = 20 * kSecond;

}  // namespace arenad::chaos
