// Who plays an arena of a chaos run, and tells what came of it: the ledger's own player in this process (chaos/rig/ledger_player.h), or a
// studio's driver in a process of its own (driver_player.h).
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include "arenad/ids.h"
#include "arenad/result.h"

namespace arenad::test {
class LedgerPlayer;
}

namespace arenad::chaos {

class Player {
 public:
  virtual ~Player() = default;

  // One more event. False: not now.
  virtual bool say() = 0;
  // Takes in what is there now.
  virtual void listen() = 0;
  virtual void leave() = 0;
  // Its arena was saved while arenad was started again, and it has lost its place: takes another one. One try. What was said and
  // was not applied is said again.
  virtual Result<void> come_back(ArenaId arena) = 0;

  [[nodiscard]] virtual uint64_t said() const = 0;
  [[nodiscard]] virtual uint64_t heard_back() const = 0;  // of what was said, as much as has certainly been applied
  [[nodiscard]] bool hears_all() const { return heard_back() == said(); }
  [[nodiscard]] virtual uint64_t epoch() const = 0;
  [[nodiscard]] virtual pid_t worker() const = 0;       // process of the newest incarnation; 0: not known
  [[nodiscard]] virtual uint64_t compared() const = 0;  // frames, or else outputs, that were looked at
  [[nodiscard]] virtual uint64_t rejected() const = 0;
  [[nodiscard]] virtual uint64_t digest() const = 0;  // the same for the same events, whatever broke
  // The newest frame of which it has heard; 0: it does not know.
  [[nodiscard]] virtual uint64_t frame() const { return 0; }
  // What must never happen; empty: nothing.
  [[nodiscard]] virtual std::string complaint() const = 0;
  // Nothing follows; why.
  [[nodiscard]] virtual std::string gone() const = 0;
  // Knows which results there must be; nullptr: a driver does not.
  [[nodiscard]] virtual const test::LedgerPlayer* ledger() const { return nullptr; }
};

}  // namespace arenad::chaos
