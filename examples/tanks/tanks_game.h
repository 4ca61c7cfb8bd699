// The game as Arenad runs it: joins the simulation (battle.h) to the callbacks of arenad/game.h.
// Orders go in; what happened in a tick goes out to those who may know it.
//
// Hidden information: a team learns of an enemy's place and shots only while it sees him. What is
// for one team goes to those of its seats that are present, and to nobody if none is.
//
// A later version is a class derived from this one, with other rules and a state of its own (hot_guns.h).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "arenad/game.h"
#include "battle.h"
#include "battle_state.h"
#include "tanks.capnp.h"

namespace tanks {

class TanksGame {
 public:
  using State = tanks::State;
  using Events = arenad::Events<Order>;
  using Results = arenad::Results<Result>;
  // The largest state has 30 tanks, 64 obstacles, 30 shells and 30 names: 8 KiB. In the busiest
  // frame 30 players join, and all fire, hit, destroy and are spotted: 13 KiB with record headers.
  static constexpr arenad::GameInfo info{.name = "tanks",
                                         .version = "1.0",
                                         .tick_hz = sim::kTicksPerSecond,
                                         .max_players = sim::kMaxTanks,
                                         .max_state_bytes = 16 * 1024,
                                         .max_frame_output_bytes = 16 * 1024};

  TanksGame() = default;

  void on_init(arenad::Context& ctx, const arenad::Params& params, arenad_arena_options& options);
  void on_join(arenad::Context& ctx, arenad::Seat seat, std::string_view name);
  // The tank stays on the field, standing, until its player comes back.
  void on_leave(arenad::Context& ctx, arenad::Seat seat, arenad_leave_reason reason);
  void on_event(arenad::Context& ctx, arenad::Seat seat, Order::Reader order);
  void on_drain(arenad::Context& ctx, uint64_t deadline_unix_ns);
  void on_tick(arenad::Context& ctx);
  void on_checkpoint(State::Builder state) const { save_into(state); }
  void on_restore(arenad::Context& ctx, State::Reader state);

 protected:
  explicit TanksGame(const sim::Rules& rules) : rules_(rules) {}

  [[nodiscard]] const sim::Situation& situation() const { return battle_.situation(); }
  // What every version's state has.
  template <class AnyState>
  void save_into(AnyState state) const {
    save(situation(), state.initBattle());
    fill_players(state.initPlayers(situation().seat_count()));
  }
  // Goes on from there. Throws std::invalid_argument for what no battle can be.
  void take_over(sim::Situation situation, capnp::List<Player>::Reader players);

 private:
  void fill_players(capnp::List<Player>::Builder players) const;
  void greet_newcomers(arenad::Context& ctx);
  void show_each_team(arenad::Context& ctx);
  void announce(arenad::Context& ctx, const sim::ShotFired& shot);
  void announce(arenad::Context& ctx, const sim::Impact& impact);
  void announce(arenad::Context& ctx, const sim::Destroyed& destroyed);
  void announce(arenad::Context& ctx, const sim::Contact& contact);
  void announce(arenad::Context& ctx, const sim::CaptureProgress& capture);
  void finish(arenad::Context& ctx, const sim::Outcome& outcome);

  static constexpr size_t kSmallWords = 8;  // every output except Field, Roster and TeamView
  template <class T, class Fill>
  void send(arenad::Context& ctx, uint64_t seats, Fill&& fill_message, size_t words = kSmallWords);
  template <class T, class Fill>
  void send_to_everyone(arenad::Context& ctx, Fill&& fill_message, size_t words = kSmallWords);

  sim::Rules rules_;
  sim::Battle battle_;
  std::array<std::string, sim::kMaxTanks> names_;
  uint64_t present_ = 0;
  // Set by joins and leaves, and used up by the tick of the same frame: nothing to save.
  uint64_t newcomers_ = 0;
  bool roster_changed_ = false;
};

}  // namespace tanks
