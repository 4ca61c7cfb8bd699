#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/hostile_client.h"
#include "chaos/faults/patience.h"
#include "chaos/rig/ledger_player.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

// Records of a stream, by their numbers: the last one is what the arena must not take.
const std::vector<std::vector<uint64_t>> kRepeatedNumbers{{1, 1},       {1, 2, 3, 1}, {1, 2, 3, 2},
                                                          {1, 2, 3, 3}, {1, 0},       {1, 2, 1ull << 63}};

// Each is the next entry of its seat, as the model has it, but for the last, which is the first one again: if it is applied, the model
// says so.
void write_with_numbers(HostileClient& client, uint64_t first_entry, const std::vector<uint64_t>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    const bool is_last = i + 1 == numbers.size();
    const uint64_t entry = is_last ? first_entry : first_entry + i;
    const uint64_t words[] = {kHonestWords[0], entry, test::ledger_amount(entry, client.seat())};
    if (!is_last) {
      client.send(honest_type(), words);
    } else {
      client.write({kHonestBytes, 0, numbers[i], honest_type(), 0}, words);
      client.publish(numbers.size() * kHonestBytes);
    }
  }
}

// Until the player has heard all that was booked of such a client before.
Result<void> wait_until_all_is_heard(Stage& stage, const Strike& strike) {
  if (auto there = wait_for_arenad(stage, strike); !there) return there;
  return wait_until(stage, "all that was said", [&] { return stage.arenas()[strike.arena].player->hears_all(); });
}

}  // namespace

Fault client_repeats_numbers() {
  return {.name = "client.repeats_numbers",
          .does =
              "A client publishes entries, and then one of them once more: with the number that it had, with an older one, or "
              "with none",
          .holds = "each is applied once; the client is expelled, and the arena plays on",
          .uses = "hostile client",
          .prepare = wait_until_all_is_heard,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            if (auto attached = attach_and([](HostileClient&, uint64_t) {})(stage, strike); !attached) return attached;
            const auto client = hostile_client(stage, strike);
            const test::LedgerModel& model = stage.arenas()[strike.arena].player->ledger()->model();
            write_with_numbers(*client, model.last(client->seat()) + 1,
                               kRepeatedNumbers[strike.draw % kRepeatedNumbers.size()]);
            return {};
          },
          .fired = hostile_client_is_expelled,
          .heal = hostile_client_goes,
          .heal_after_ms = 200};
}

}  // namespace arenad::chaos
