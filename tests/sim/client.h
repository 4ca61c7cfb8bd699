// A simulated client: it attaches, writes events into its channel as long as there is room, reads outputs at its own position, leaves or
// vanishes, and comes back.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "supervisor/channel_roster.h"
#include "tests/sim/region.h"

namespace arenad::sim {

class World;

class Client {
 public:
  Client(World& world, uint64_t id, ArenaId arena, ChannelRoster::Kind kind)
      : world_(world), id_(id), arena_(arena), kind_(kind) {}
  void turn();
  void incarnation(std::shared_ptr<Region> region);
  void gone(ChannelId attachment);  // arenad says that nothing follows
  void disconnected();              // arenad is not there any more
  void answered(std::optional<ChannelId> channel, uint64_t from, std::shared_ptr<Region> region, bool is_back);

  [[nodiscard]] bool is_there() const { return state_ == State::attached; }
  [[nodiscard]] ArenaId arena() const { return arena_; }
  // Everything that it wrote was taken, and everything that was published was read.
  [[nodiscard]] bool has_caught_up() const;
  void read();
  void power_cut();
  void go_to(ArenaId arena);
  void session_ends();
  [[nodiscard]] std::string text() const;

 private:
  enum class State { away, asking, attached, cut_off };
  void ask();
  void write();
  void leave(bool orderly);

  World& world_;
  uint64_t id_;
  ArenaId arena_;
  ChannelRoster::Kind kind_;
  State state_ = State::away;
  std::shared_ptr<Channel> channel_;
  ChannelId channel_id_;
  std::shared_ptr<Region> region_;
  uint64_t position_ = 0;
  bool floods_ = false;
  uint64_t reads_from_ns_ = 0;  // it sleeps until then
  uint64_t requests_ = 0;
  bool asks_to_come_back_ = false;
};

}  // namespace arenad::sim
