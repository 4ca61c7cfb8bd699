// How long a fault waits for what must be there before it can strike: far beyond what it takes, also if something else is being recovered from.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "arenad/result.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {

constexpr uint64_t kFaultPatienceNs = 20 * kSecond;

// What is waited for may need frames, which an arena without ticks has only when something is said; its player may have said all
// that was planned.
void let_say_more(Stage::Arena& arena);

// Players play on meanwhile. An error, which says what it is that did not come: so long it did not, or the run is called off.
Result<void> wait_until(Stage& stage, const std::string& what, const std::function<bool()>& is_there);

}  // namespace arenad::chaos
