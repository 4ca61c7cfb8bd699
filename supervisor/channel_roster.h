// Who may write to an arena: its channels, and which seat belongs to which player. Pure bookkeeping.
//
// A channel is kept after its client has left, until the worker says that no recovery can need its records any more.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arenad/ids.h"
#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

struct RosterChannel {
  ChannelId id;
  Seat slot = 0;
  std::string player;
  Fd region;
  std::optional<uint32_t> gone_reason;
  std::string displaced = {};  // who had the seat before, and was not there
};

// Of channels as an earlier arenad had them: a client that took the same seat later is proof that this one had left it.
void mark_those_that_left(std::vector<RosterChannel>& channels, uint32_t reason);

class ChannelRoster {
 public:
  enum class Kind { player, observer };

  // A place for a newcomer: the seat that this player had, or the lowest that nobody had yet, or the lowest that is free.
  // Refused if the player is there already or all seats are taken.
  Result<Seat> find_place(Kind kind, const std::string& player, uint32_t max_players) const;
  RosterChannel& add(Seat slot, const std::string& player, Fd region);
  // As of a snapshot, after everything else is gone: the player was at this seat, and is not any more.
  void add_departed(ChannelId id, Seat slot, const std::string& player, Fd region, uint32_t reason);
  // As an earlier arenad had it.
  void restore(RosterChannel channel);
  // Ids up to this one may have been given out, whatever became of their channels: no other gets them.
  void use_up(ChannelId id) { last_id_ = std::max(last_id_, id.value); }
  void leave(ChannelId id, uint32_t reason);
  // It was not let in: the seat belongs to whom it had belonged to.
  void give_seat_back(ChannelId id);
  void forget(ChannelId id) { channels_.erase(id.value); }
  void clear() { channels_.clear(); }

  [[nodiscard]] RosterChannel* find(ChannelId id);
  [[nodiscard]] const std::map<uint64_t, RosterChannel>& all() const { return channels_; }
  // The channel whose client is there now.
  [[nodiscard]] const RosterChannel* present_at(Seat slot) const;
  [[nodiscard]] uint32_t present(Kind kind) const;
  // Who is or was there, if that is known; else empty.
  [[nodiscard]] std::string player_at(Seat seat) const;

 private:
  uint64_t last_id_ = 0;
  std::map<uint64_t, RosterChannel> channels_;
  std::map<std::string, Seat> seats_;  // of players who are or were there
};

}  // namespace arenad
