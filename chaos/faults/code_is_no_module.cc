#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/random.h"

namespace arenad::chaos {
namespace {

// What is copied there by mistake, and what is left of a copy that has failed at its beginning.
std::string no_module(uint64_t draw) {
  Random random(draw, "no module");
  switch (draw % 3) {
    case 0:
      return "";
    case 1:
      return "#!/bin/sh\nexit 0\n";
    default:
      return random_bytes(random, 1 + random.below(100'000));
  }
}

}  // namespace

Fault code_is_no_module() {
  return change_to_file_refused("code.is_no_module", "The arena gets a file that is empty, a script, or random bytes",
                                [](const Strike& strike) { return Result<std::string>(no_module(strike.draw)); });
}

}  // namespace arenad::chaos
