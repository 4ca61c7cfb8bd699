#include "supervisor/channel_roster.h"

#include <algorithm>
#include <utility>

#include "ipc/limits.h"

namespace arenad {
namespace {

ChannelRoster::Kind kind_of(Seat slot) {
  return slot < limits::kMaxSeats ? ChannelRoster::Kind::player : ChannelRoster::Kind::observer;
}

}  // namespace

void mark_those_that_left(std::vector<RosterChannel>& channels, uint32_t reason) {
  for (RosterChannel& channel : channels) {
    const bool has_successor = std::any_of(channels.begin(), channels.end(), [&](const RosterChannel& other) {
      return other.slot == channel.slot && other.id > channel.id;
    });
    if (has_successor && !channel.gone_reason) channel.gone_reason = reason;
  }
}

const RosterChannel* ChannelRoster::present_at(Seat slot) const {
  for (const auto& [id, channel] : channels_) {
    if (channel.slot == slot && !channel.gone_reason) return &channel;
  }
  return nullptr;
}

uint32_t ChannelRoster::present(Kind kind) const {
  return static_cast<uint32_t>(std::count_if(channels_.begin(), channels_.end(), [&](const auto& entry) {
    return !entry.second.gone_reason && kind_of(entry.second.slot) == kind;
  }));
}

std::string ChannelRoster::player_at(Seat seat) const {
  const auto found = std::ranges::find(seats_, seat, [](const auto& entry) { return entry.second; });
  return found == seats_.end() ? std::string() : found->first;
}

Result<Seat> ChannelRoster::find_place(Kind kind, const std::string& player, uint32_t max_players) const {
  if (kind == Kind::observer) {
    for (Seat slot = limits::kMaxSeats; slot < limits::kMaxSlots; ++slot) {
      if (present_at(slot) == nullptr) return slot;
    }
    return make_error(ErrorCode::refused, "the arena has as many observers as it can have");
  }
  if (const auto known = seats_.find(player); known != seats_.end()) {
    const RosterChannel* there = present_at(known->second);
    if (there == nullptr) return known->second;
    if (there->player == player) return make_error(ErrorCode::refused, "player " + player + " is in the arena already");
  }
  std::optional<Seat> vacant;
  for (Seat slot = 0; slot < std::min(max_players, limits::kMaxSeats); ++slot) {
    if (present_at(slot) != nullptr) continue;
    const bool untouched = std::none_of(seats_.begin(), seats_.end(), [&](const auto& seat) { return seat.second == slot; });
    if (untouched) return slot;
    if (!vacant) vacant = slot;
  }
  if (vacant) return *vacant;
  return make_error(ErrorCode::refused, "all " + std::to_string(max_players) + " seats of the arena are taken");
}

RosterChannel& ChannelRoster::add(Seat slot, const std::string& player, Fd region) {
  const ChannelId id{++last_id_};
  std::string before;
  if (kind_of(slot) == Kind::player) {
    before = player_at(slot);
    // A seat belongs to whoever took it last.
    std::erase_if(seats_, [&](const auto& seat) { return seat.second == slot; });
    seats_[player] = slot;
  }
  return channels_[id.value] = RosterChannel{id, slot, player, std::move(region), std::nullopt, before == player ? "" : before};
}

void ChannelRoster::give_seat_back(ChannelId id) {
  RosterChannel* channel = find(id);
  if (channel == nullptr || kind_of(channel->slot) != Kind::player || channel->displaced.empty()) return;
  const std::string before = std::exchange(channel->displaced, {});  // once: afterwards the seat may be anybody's again
  const auto seat = seats_.find(channel->player);
  if (seat == seats_.end() || seat->second != channel->slot || seats_.contains(before)) return;
  seats_.erase(seat);
  seats_[before] = channel->slot;
}

void ChannelRoster::add_departed(ChannelId id, Seat slot, const std::string& player, Fd region, uint32_t reason) {
  last_id_ = std::max(last_id_, id.value);
  if (kind_of(slot) == Kind::player) seats_[player] = slot;
  channels_[id.value] = RosterChannel{id, slot, player, std::move(region), reason};
}

void ChannelRoster::restore(RosterChannel channel) {
  last_id_ = std::max(last_id_, channel.id.value);
  const uint64_t id = channel.id.value;
  const bool is_newer = std::none_of(channels_.begin(), channels_.end(),
                                     [&](const auto& entry) { return entry.second.slot == channel.slot && entry.first > id; });
  if (kind_of(channel.slot) == Kind::player && is_newer) {
    std::erase_if(seats_, [&](const auto& seat) { return seat.second == channel.slot; });
    seats_[channel.player] = channel.slot;
  }
  channels_[id] = std::move(channel);
}

void ChannelRoster::leave(ChannelId id, uint32_t reason) {
  RosterChannel* channel = find(id);
  if (channel != nullptr && !channel->gone_reason) channel->gone_reason = reason;
}

RosterChannel* ChannelRoster::find(ChannelId id) {
  const auto found = channels_.find(id.value);
  return found == channels_.end() ? nullptr : &found->second;
}

}  // namespace arenad
