// Who is attached to an arena, and what they are told.
#include <algorithm>

#include "arenad/module_abi.h"
#include "ipc/crash_point.h"
#include "ipc/limits.h"
#include "ipc/link.h"
#include "ipc/text.h"
#include "supervisor/arena.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

// An assignment has all of them in one message, with the board and up to three regions. Of clients that have left, a channel is there until a
// checkpoint is durable that no longer needs it.
constexpr size_t kMostChannels = kMaxLinkFds - 4;

LifecycleEvent rest_of(ArenaState state) {
  switch (state) {
    case ArenaState::ended:
      return LifecycleEvent::ended;
    case ArenaState::failed:
      return LifecycleEvent::failed;
    case ArenaState::lost:
      return LifecycleEvent::lost;
    case ArenaState::starting:
    case ArenaState::running:
    case ArenaState::recovering:
    case ArenaState::backing_off:
    case ArenaState::restarting:
    case ArenaState::stopping:
    case ArenaState::stopped:
      break;
  }
  return LifecycleEvent::stopped;
}

}  // namespace

void Arena::announce_incarnation() {
  for (const ArenaAttachment& a : attachments_)
    services_.clients.incarnation(a.connection, a.attachment, {record_.epoch}, lived_->fd());
  board_.ring();
}

void Arena::announce_gone() {
  tell(rest_of(state()), {{"reason", record_.reason}});
  if (state() == ArenaState::failed) {
    log_error(
        "arena={} msg=\"it has failed and is stopped, its state is kept: {}. Once the cause is mended: arenactl restart {}\"",
        record_.name, record_.reason, record_.name);
  }
  if (state() == ArenaState::lost) log_error("arena={} msg=\"it is lost: {}\"", record_.name, record_.reason);
  for (const ArenaAttachment& a : attachments_)
    services_.clients.gone(a.connection, a.attachment, to_string(state()), record_.reason);
  // If the arena is restarted, its players have left it and may come back.
  // So have those of an earlier arenad who had not come back yet.
  std::vector<ChannelId> present;
  for (const auto& [id, channel] : channels_.all()) {
    if (!channel.gone_reason) present.push_back(channel.id);
  }
  for (const ChannelId id : present) channels_.leave(id, ARENAD_DROPPED);
  attachments_.clear();
  board_.ring();
}

void Arena::expel(ChannelId channel) {
  log_warning("arena={} msg=\"a client was expelled: its channel holds something that is not a record\"", record_.name);
  part_with(channel, ARENAD_EXPELLED, "expelled", "the channel holds something that is not a record");
}

void Arena::kick(wire::Kicked::Reader told) {
  const RosterChannel* channel = channels_.find({told.getChannel()});
  if (channel == nullptr) return;
  if (!told.getWasIn()) channels_.give_seat_back(channel->id);
  if (channel->gone_reason) return;  // told again by a replay, or it has gone by itself meanwhile
  std::string reason = text_of(told.getReason()).substr(0, limits::kMaxKickReasonBytes);
  if (reason.empty()) reason = "the game has given no reason";
  log_info("arena={} msg=\"player {} {}: {}\"", record_.name, channel->player,
           told.getWasIn() ? "was kicked by the game" : "was not let in by the game", reason);
  part_with(channel->id, ARENAD_KICKED, told.getWasIn() ? "kicked" : "denied", reason);
}

// The worker lets it go, or has done so.
void Arena::part_with(ChannelId channel, uint32_t reason, const char* state, const std::string& why) {
  channels_.leave(channel, reason);
  const auto found =
      std::find_if(attachments_.begin(), attachments_.end(), [&](const auto& a) { return a.channel == channel; });
  if (found == attachments_.end()) return;
  services_.clients.gone(found->connection, found->attachment, state, why);
  attachments_.erase(found);
  board_.ring();
}

Result<Arena::Attached> Arena::attach(uint64_t connection, uint32_t attachment, ChannelRoster::Kind kind,
                                      const std::string& player, Fd region) {
  if (!is_active() || shutting_down_) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state()));
  }
  if (channels_.all().size() >= kMostChannels) {
    return make_error(ErrorCode::exhausted,
                      "arena " + record_.name + " has " + std::to_string(channels_.all().size()) +
                          " channels, most of them of clients that have left: try again when a checkpoint is written");
  }
  auto seat = channels_.find_place(kind, player, max_players_);
  if (!seat) return seat.error();
  if (draining_ && kind == ChannelRoster::Kind::player) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is draining");
  }
  // Before the worker hears of it: whatever the join brings lies behind this.
  const uint64_t outputs_from =
      lived_ ? lived_->status().outputs_published.load(std::memory_order_acquire) : outputs_resumed_from_;
  const RosterChannel& channel = channels_.add(*seat, player, std::move(region));
  kept_.keep_channel(channel);
  ARENAD_CRASH_POINT("arenad.attach.kept");
  attachments_.push_back({connection, attachment, channel.id});
  const int fd = channel.region.get();
  tell_worker(
      [&](wire::ToWorker::Builder message) {
        auto join = message.initJoin();
        join.setId(channel.id.value);
        join.setSlot(channel.slot);
        join.setPlayer(channel.player);
      },
      {&fd, 1});
  ARENAD_CRASH_POINT("arenad.attach.told");
  const bool live = lived_ && worker_ && !starting_;
  return Attached{channel.slot, channel.id, outputs_from, &board_.fd(), live ? &*lived_ : nullptr};
}

Result<Arena::Attached> Arena::reattach(uint64_t connection, uint32_t attachment, ChannelId id, const std::string& player,
                                        const Fd& region) {
  if (!is_active() || shutting_down_) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state()));
  }
  const RosterChannel* channel = channels_.find(id);
  if (channel == nullptr || channel->gone_reason || channel->player != player || !is_same_file(channel->region, region)) {
    return make_error(ErrorCode::refused, "player " + player + " has lost the place in arena " + record_.name);
  }
  std::erase_if(attachments_, [&](const ArenaAttachment& a) { return a.channel == id; });
  attachments_.push_back({connection, attachment, id});
  const bool live = lived_ && worker_ && !starting_;
  return Attached{channel->slot, channel->id, 0, &board_.fd(), live ? &*lived_ : nullptr};
}

void Arena::detach(uint32_t attachment, uint32_t reason) {
  const auto found =
      std::find_if(attachments_.begin(), attachments_.end(), [&](const auto& a) { return a.attachment == attachment; });
  if (found == attachments_.end()) return;
  const ChannelId channel = found->channel;
  attachments_.erase(found);
  channels_.leave(channel, reason);
  tell_worker([&](wire::ToWorker::Builder message) {
    auto leave = message.initLeave();
    leave.setId(channel.value);
    leave.setReason(reason);
  });
}

void Arena::drop_those_who_did_not_return() {
  std::vector<ChannelId> missing;
  for (const auto& [id, channel] : channels_.all()) {
    const bool is_back = std::any_of(attachments_.begin(), attachments_.end(),
                                     [wanted = channel.id](const ArenaAttachment& a) { return a.channel == wanted; });
    if (!channel.gone_reason && !is_back) missing.push_back(channel.id);
  }
  for (const ChannelId id : missing) {
    channels_.leave(id, ARENAD_DROPPED);
    tell_worker([&](wire::ToWorker::Builder message) {
      auto leave = message.initLeave();
      leave.setId(id.value);
      leave.setReason(ARENAD_DROPPED);
    });
  }
}

}  // namespace arenad
