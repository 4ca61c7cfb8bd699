#include <csignal>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/orderly_end.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kLongestWayUs = 100'000;

}  // namespace

Fault arenad_ended_in_order_twice() {
  return arenad_ends_in_order(
      "arenad.ended_in_order_twice",
      "arenad is told to end and is started again, and told so once more within 100 ms, while it takes up its arenas",
      "every arena goes on where it was, and its player comes back", [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto told = tell_to_end(stage, strike); !told) return told;
        if (auto ended = see_it_end(stage); !ended) return ended;
        if (auto begun = see_it_begin(stage); !begun) return begun;
        ::usleep(static_cast<useconds_t>(strike.draw / 4 % kLongestWayUs));
        if (auto told = signal_keeper(stage, SIGTERM); !told) return told;
        return see_it_end_and_begin_again(stage, Told::while_it_begins);
      });
}

}  // namespace arenad::chaos
