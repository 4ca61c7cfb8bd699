// A bot of your own game for arena-chaos: what you write so that it is played while everything around it breaks.
//
// You say how an event is made and what outputs must be; drive() is your program's main(): it attaches to the arena, says when it is told to,
// hears everything, and reports to arena-chaos, which started it. Where your bot sees something wrong it says so in complaint(), and the run
// has found a violation. docs/chaos.md has a whole one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "arenad/client.h"

namespace arenad {

class Driver {
 public:
  virtual ~Driver() = default;
  // Sends the next event with attachment.send(), and gives what that gave. Sent::full: it is called again in a moment.
  virtual Sent say(Attachment& attachment) = 0;
  // The next output, in order. Its words are valid during the call.
  virtual void hear(const Output& output) = 0;
  // What must never happen and has, as a sentence; empty: nothing. The first one stays.
  [[nodiscard]] virtual std::string complaint() const { return {}; }
  // A number for what the game has come to that is the same whenever the same events were said, whatever the time was and
  // whatever broke; 0 if there is none such.
  [[nodiscard]] virtual uint64_t digest() const { return 0; }
};

// seed: of this bot, for whatever is random in it. Gives the exit code: 0, 2 if the command line is not arena-chaos's, 1 for the rest.
int drive(int argc, char** argv, const std::function<std::unique_ptr<Driver>(uint64_t seed)>& make);

}  // namespace arenad
