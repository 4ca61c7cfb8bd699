#include <csignal>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/orderly_end.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kLongestUpgradeUs = 100'000;

}  // namespace

Fault arenad_ended_in_order_while_it_is_upgraded() {
  return arenad_ends_in_order("arenad.ended_in_order_while_it_is_upgraded",
                              "arenad is told to give over to its own program, and to end within 100 ms, and is started again",
                              "one of the two ends in order, every arena goes on where it was, and its player comes back",
                              [](Stage& stage, const Strike& strike) -> Result<void> {
                                if (auto asked = tell_arenad_to_upgrade(stage, strike); !asked) return asked;
                                ::usleep(static_cast<useconds_t>(strike.draw % kLongestUpgradeUs));
                                if (auto told = signal_keeper(stage, SIGTERM); !told) return told;
                                return see_it_end_and_begin_again(stage);
                              });
}

}  // namespace arenad::chaos
