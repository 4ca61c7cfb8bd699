#include "chaos/faults/poison.h"

#include <algorithm>
#include <fmt/format.h>

#include <capnp/schema.h>

#include "arenad/client.h"
#include "chaos/faults/patience.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kPoison = "poison";
constexpr const char* kPoisoner = "mallory";

struct Poisoner {
  std::unique_ptr<Client> client;
  std::unique_ptr<Attachment> attachment;
  uint64_t channel = 0;
  uint64_t sequence = 0;      // of the event
  uint64_t epoch_before = 0;  // of the arena
  pid_t arenad_before = 0;
  bool told = false;
  uint64_t entry = 0;  // of the quarantine; 0: it was not seen there
};

std::shared_ptr<Poisoner> poisoner_of(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<Poisoner>(stage.prop(kPoison, strike.arena));
}

Result<void> attach_poisoner(Stage& stage, const Strike& strike, Poisoner& poisoner) {
  auto client = Client::connect(stage.rig().socket());
  if (!client) return client.error();
  auto attached = (*client)->attach({.arena = stage.arenas()[strike.arena].name, .player = kPoisoner});
  if (!attached) return attached.error();
  poisoner.client = std::move(*client);
  poisoner.attachment = std::move(*attached);
  poisoner.channel = poisoner.attachment->channel().value;
  return {};
}

void hear_rejection(Poisoner& poisoner) {
  while (poisoner.attachment) {
    switch (poisoner.attachment->receive()) {
      case Incoming::none:
      case Incoming::gone:
      case Incoming::disconnected:
        return;
      case Incoming::rejected: {
        const Rejection& rejection = poisoner.attachment->rejection();
        const bool is_it = rejection.sequence == poisoner.sequence && rejection.reason == Rejection::Reason::quarantined;
        poisoner.told = poisoner.told || is_it;
        break;
      }
      case Incoming::output:
      case Incoming::lagged:
      case Incoming::rolled_back:
        break;
    }
  }
}

// False: arenad does not say.
bool find_in_quarantine(Stage& stage, const Strike& strike, Poisoner& poisoner) {
  const auto events = stage.rig().quarantine(stage.arenas()[strike.arena].id);
  if (!events) return false;
  const auto found = std::ranges::find_if(*events, [&](const sweep::QuarantinedEvent& event) {
    return event.channel == poisoner.channel && event.sequence == poisoner.sequence && event.player == kPoisoner &&
           event.type == capnp::typeId<ledger::Poison>();
  });
  if (found != events->end()) poisoner.entry = found->id;
  return true;
}

bool drop_entry(Stage& stage, const Poisoner& poisoner) {
  const auto dropped = stage.rig().drop_quarantined(poisoner.entry);
  // The answer to an earlier try may have been lost.
  return dropped || dropped.error().code == ErrorCode::invalid;
}

}  // namespace

ledger::Poison::How drawn_poison(const Strike& strike) {
  constexpr ledger::Poison::How kHows[] = {ledger::Poison::How::SEGV, ledger::Poison::How::ABORT, ledger::Poison::How::THROW,
                                           ledger::Poison::How::EXIT};
  return kHows[strike.draw % std::size(kHows)];
}

Result<void> seat_poisoner(Stage& stage, const Strike& strike) {
  auto poisoner = std::make_shared<Poisoner>();
  Result<void> attached;
  auto there = wait_until(stage, "a seat for the client that sends poison", [&] {
    attached = attach_poisoner(stage, strike, *poisoner);
    return attached || attached.error().code != ErrorCode::refused;
  });
  if (!there) return there;
  if (!attached) return attached;
  stage.prop(kPoison, strike.arena) = std::move(poisoner);
  return {};
}

Result<void> send_poison_from_its_seat(Stage& stage, const Strike& strike, ledger::Poison::How how) {
  const auto poisoner = poisoner_of(stage, strike);
  poisoner->epoch_before = stage.epoch(strike.arena);
  poisoner->arenad_before = stage.rig().arenad();
  const Sent sent = poisoner->attachment->send<ledger::Poison>([&](ledger::Poison::Builder poison) { poison.setHow(how); });
  if (sent != Sent::ok) return make_error(ErrorCode::failed, "the event could not be sent");
  poisoner->sequence = poisoner->attachment->events_sent();
  return {};
}

Result<void> send_poison(Stage& stage, const Strike& strike, ledger::Poison::How how) {
  if (auto seated = seat_poisoner(stage, strike); !seated) return seated;
  return send_poison_from_its_seat(stage, strike, how);
}

bool poison_is_told(const Stage& stage, const Strike& strike) {
  const auto poisoner = poisoner_of(stage, strike);
  if (!poisoner) return false;
  hear_rejection(*poisoner);
  return poisoner->told;
}

bool poison_is_dropped(Stage& stage, const Strike& strike) {
  const auto poisoner = poisoner_of(stage, strike);
  if (poisoner->entry == 0 && !find_in_quarantine(stage, strike, *poisoner)) return false;
  if (poisoner->entry == 0 && stage.rig().arenad() == poisoner->arenad_before) return false;
  if (poisoner->entry != 0 && !drop_entry(stage, *poisoner)) return false;
  poisoner->attachment.reset();
  poisoner->client.reset();
  return true;
}

uint64_t ends_by_poison(const Stage& stage, const Strike& strike) {
  return stage.epoch(strike.arena) - poisoner_of(stage, strike)->epoch_before;
}

std::string told_of_poison(ledger::Poison::How how) {
  switch (how) {
    case ledger::Poison::How::SEGV:
      return "SEGV";
    case ledger::Poison::How::ABORT:
      return "ABRT";
    case ledger::Poison::How::THROW:
      return "this entry is poison";
    case ledger::Poison::How::EXIT:
      return "in the middle of a match";
    case ledger::Poison::How::HANG:
      return "did not move";
    case ledger::Poison::How::BLAME:
      return "on_event failed: this entry is to blame";
  }
  return "";
}

Result<void> two_ended_by(Stage& stage, const Strike& strike, const std::string& told) {
  return so_many_ended_by(stage, strike, 2, told);
}

Result<void> so_many_ended_by(Stage& stage, const Strike& strike, uint64_t workers, const std::string& told) {
  const uint64_t ends = ends_by_poison(stage, strike);
  if (ends != workers)
    return make_error(ErrorCode::failed, fmt::format("{} workers have ended by it, and not {}", ends, workers));
  const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
  if (status && status->last_exit.find(told) != std::string::npos) return {};
  return make_error(ErrorCode::failed, "arenad says that the last worker ended by \"" + (status ? status->last_exit : "") +
                                           "\", and not \"" + told + "\"");
}

}  // namespace arenad::chaos
