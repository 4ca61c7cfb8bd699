// The state of the ledger, in the shape of the version that is built (tests/games/CMakeLists.txt).
#pragma once

#include <string>

#include "arenad/game.h"
#include "chaos/games/ledger.capnp.h"
#if defined(LEDGER_ADDS)
#include "chaos/games/ledger_adds.capnp.h"
#elif defined(LEDGER_CHANGES) || defined(LEDGER_MIGRATES)
#include "chaos/games/ledger_changes.capnp.h"
#endif

namespace arenad::ledger {

#if defined(LEDGER_ADDS)
using LedgerState = ledger_adds::State;
inline void write_count(LedgerState::Builder state, uint64_t count, uint32_t handovers) {
  state.setCount(count);
  state.setHandovers(handovers);
}
inline uint64_t read_count(LedgerState::Reader state) {
  return state.getCount();
}
#elif defined(LEDGER_CHANGES) || defined(LEDGER_MIGRATES)
using LedgerState = ledger_changes::State;
inline void write_count(LedgerState::Builder state, uint64_t count, uint32_t) {
  state.setCount(std::to_string(count));
}
inline uint64_t read_count(LedgerState::Reader state) {
  return std::stoull(std::string(state.getCount()));
}
#else
using LedgerState = ledger::State;
inline void write_count(LedgerState::Builder state, uint64_t count, uint32_t) {
  state.setCount(count);
}
#endif
inline uint64_t read_count(ledger::State::Reader state) {
  return state.getCount();
}

}  // namespace arenad::ledger
