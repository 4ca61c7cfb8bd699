// A fault of a chaos run. Each stands in a file of its own in faults/: what it does, what must hold nevertheless, what it takes to do it, and
// how it is done. The run knows nothing of any of them but this.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "arenad/result.h"

namespace arenad::chaos {

class Stage;

// Whether a process ends by it. What ends and was not to is a violation, and so is what was to end and does not.
enum class Ends { never, may, must };

// One use of a fault.
struct Strike {
  size_t arena = 0;   // index in the stage's arenas
  uint64_t draw = 0;  // a random number of its own
  pid_t worker = 0;   // of the arena, when it struck
};

struct Fault {
  std::string name;           // GROUP.WHAT, as in a plan
  std::string does;           // as a sentence
  std::string holds;          // what must hold, as a sentence; beside what always must (invariants.h)
  Ends worker = Ends::never;  // of the arena that is struck
  Ends other_workers = Ends::never;
  Ends arenad = Ends::never;
  // Part of what arenad must say of the end of the arena's worker; empty: nothing is asked.
  std::string told;
  // The rung of the recovery ladder at which the arena's next incarnation begins: one of these; empty: nothing is asked.
  std::vector<std::string> rungs;
  // What only one fault at a time may use, and what its `heal` gives back and nothing else: "disk", "code". Empty: nothing.
  std::string uses;
  // The worker leaves no note: an arenad that is not its parent, because it has adopted it, cannot tell more than that it has ended.
  bool leaves_no_note = false;
  // Entries that the arena may leave out, because they are in quarantine or were rejected.
  bool may_reject = false;
  // No other fault may be on its way, not even in a compound: it uses what there is once, as a trap for whichever process comes by.
  bool alone = false;
  // It takes arenad's database away, or spoils it: before it is over, what was durable may be so no more.
  bool takes_database = false;
  // It stops workers from outside for a while, or has them go on: of two of them, one would undo the other.
  bool stops_workers = false;
  // What it does, it does by the arenad that is there now, or to the link to it: nothing that ends that one may be on its way, or has it give over.
  bool needs_arenad = false;
  // arenad gives over to a program, and no process ends by that.
  bool replaces_arenad = false;
  // What is missing here to do it; empty: nothing is. Such a fault is reported as not run, never as passed.
  std::function<std::string(const Stage&)> missing = [](const Stage&) { return std::string(); };
  // What must be so before it can be done; players may play on meanwhile (Stage::turn). Empty: nothing.
  std::function<Result<void>(Stage&, const Strike&)> prepare;
  std::function<Result<void>(Stage&, const Strike&)> inject;
  // Whether it has done what it does, where nothing that ends shows it. It is not over before.
  std::function<bool(const Stage&, const Strike&)> fired = [](const Stage&, const Strike&) { return true; };
  // Undone after so long, and not before it has fired; a fault without `heal` is over when it has been survived.
  std::function<Result<void>(Stage&, const Strike&)> heal;
  uint64_t heal_after_ms = 0;
  // Of a fault that is there to try this tool itself: the violation that is reported when it is over, though nothing is wrong. Empty: a
  // real fault. Planted ones are drawn only with --with-planted.
  std::string pretends;
  // Entries that the arena's player may say on the way, beyond the first one: what it takes to be settled.
  uint64_t plays_on = 0;
  // Asked when all else is over: whether this is over too.
  std::function<bool(Stage&, const Strike&)> settled = [](Stage&, const Strike&) { return true; };
  // When it is over: whether what it says did hold. An error is a violation. Not asked if another fault was on its way meanwhile.
  std::function<Result<void>(Stage&, const Strike&)> check = [](Stage&, const Strike&) { return Result<void>(); };
};

// All of them, by name.
const std::vector<Fault>& all_faults();
const Fault* find_fault(const std::string& name);

}  // namespace arenad::chaos
