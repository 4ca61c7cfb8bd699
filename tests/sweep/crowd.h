// Arenas of the ledger with one player each, who all play at a time and check all that they hear.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chaos/rig/ledger_player.h"
#include "chaos/rig/rig.h"

namespace arenad::sweep {

class Crowd {
 public:
  // Arenas are called by the name and a number. hz: of their ticks.
  Result<void> begin(Rig& rig, const std::string& name, uint64_t arenas, uint32_t hz);
  // An entry of each now and then, and all that they hear; takes about a millisecond.
  void play();
  // Waits until everything that was said has come back. Gives what was not as it should be.
  std::vector<std::string> end();

 private:
  std::vector<std::unique_ptr<test::LedgerPlayer>> players_;
  uint64_t said_ns_ = 0;
};

}  // namespace arenad::sweep
