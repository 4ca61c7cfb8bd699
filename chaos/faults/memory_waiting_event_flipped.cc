#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/hostile_client.h"
#include "chaos/faults/patience.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kWaitingEvent = "memory.waiting_event_flipped";

struct DamagedEvent {
  std::unique_ptr<Client> client;
  std::unique_ptr<Attachment> attachment;
  bool is_settled = false;  // the arena has said what became of it
  std::string wrong;
};

// Not of its size or its number: of those a channel is told apart from garbage, and closed (client.lies_about_lengths).
void flip_a_bit(std::byte* record, uint64_t bytes, uint64_t draw) {
  const uint64_t flippable = bytes - 12;
  const uint64_t at = draw / 8 % flippable;
  record[at < 4 ? 4 + at : 12 + at] ^= std::byte{1} << draw % 8;
}

Result<void> send_damaged(DamagedEvent& guest, uint64_t draw) {
  Sent why_not = Sent::ok;
  void* space = guest.attachment->reserve(std::size(kHonestWords), why_not);
  if (space == nullptr) return make_error(ErrorCode::failed, "a new channel takes no event");
  std::memcpy(space, kHonestWords, sizeof kHonestWords);
  guest.attachment->commit(honest_type(), std::size(kHonestWords));
  flip_a_bit(static_cast<std::byte*>(space) - kRecordHeaderBytes, kHonestBytes, draw);
  guest.attachment->publish();
  return {};
}

void hear_what_became_of_it(DamagedEvent& guest) {
  while (!guest.is_settled) {
    switch (guest.attachment->receive()) {
      case Incoming::none:
        return;
      case Incoming::rejected:
        guest.is_settled = true;
        if (guest.attachment->rejection().reason != Rejection::Reason::damaged) guest.wrong = "it was not rejected as damaged";
        break;
      case Incoming::gone:
      case Incoming::disconnected:
        guest.is_settled = true;
        guest.wrong = "its client is gone: " + guest.attachment->departure().reason;
        break;
      case Incoming::output:
      case Incoming::lagged:
      case Incoming::rolled_back:
        break;
    }
  }
}

std::shared_ptr<DamagedEvent> damaged_event(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<DamagedEvent>(stage.prop(kWaitingEvent, strike.arena));
}

}  // namespace

Fault memory_waiting_event_flipped() {
  return {.name = kWaitingEvent,
          .does = "A bit flips in an event of a client, before the arena takes it",
          .holds = "the event is not applied, its client is told that it was damaged, and nothing else changes",
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto guest = std::make_shared<DamagedEvent>();
            auto client = Client::connect(stage.rig().socket());
            if (!client) return client.error();
            guest->client = std::move(*client);
            auto attached = wait_until(stage, "a free seat", [&] {
              auto seat = guest->client->attach({.arena = stage.arenas()[strike.arena].name, .player = "mallory"});
              if (seat) guest->attachment = std::move(*seat);
              return guest->attachment != nullptr;
            });
            if (!attached) return attached;
            stage.prop(kWaitingEvent, strike.arena) = guest;
            return send_damaged(*guest, strike.draw);
          },
          .fired =
              [](const Stage& stage, const Strike& strike) {
                const auto guest = damaged_event(stage, strike);
                if (guest == nullptr) return false;
                hear_what_became_of_it(*guest);
                return guest->is_settled;
              },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            keep_finding(stage, kWaitingEvent, strike, damaged_event(stage, strike)->wrong);
            stage.prop(kWaitingEvent, strike.arena).reset();
            return {};
          },
          .check = kept_finding(kWaitingEvent)};
}

}  // namespace arenad::chaos
