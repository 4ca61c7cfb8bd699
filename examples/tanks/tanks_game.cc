#include "tanks_game.h"

#include <stdexcept>
#include <utility>
#include <variant>

#include "wire.h"

namespace tanks {

namespace {

constexpr std::array<uint64_t, 2> kTeamSeats = {0x5555555555555555, 0xAAAAAAAAAAAAAAAA};
constexpr uint64_t kAllSeats = kTeamSeats[0] | kTeamSeats[1];
constexpr uint64_t kNanosecondsPerTick = 1'000'000'000 / sim::kTicksPerSecond;
constexpr size_t kRosterWords = 3 + sim::kMaxTanks * (2 + 9);  // names of 64 bytes at most

constexpr uint64_t bit(arenad::Seat seat) {
  return uint64_t{1} << seat;
}

// Without a seed each battle gets a map of its own.
uint64_t choose_seed(arenad::Context& ctx, const arenad::Params& params) {
  if (params.text("seed", "").empty()) return ctx.random().next();
  return static_cast<uint64_t>(params.number("seed", 0, 0, INT64_MAX));
}

uint64_t who_know(sim::Seat shooter, bool seen_by_enemy) {
  return seen_by_enemy ? kAllSeats : kTeamSeats[sim::team_of(shooter)];
}

// The next view tells a client most of what it missed, so the battle goes on.
void note_if_dropped(arenad::Context& ctx, bool sent) {
  if (!sent) ctx.log(ARENAD_LOG_WARNING, "an output was dropped: the output ring is full");
}

}  // namespace

template <class T, class Fill>
void TanksGame::send(arenad::Context& ctx, uint64_t seats, Fill&& fill_message, size_t words) {
  note_if_dropped(ctx, ctx.send<T>(arenad::Audience::seats(seats & present_), std::forward<Fill>(fill_message), words));
}

template <class T, class Fill>
void TanksGame::send_to_everyone(arenad::Context& ctx, Fill&& fill_message, size_t words) {
  note_if_dropped(ctx, ctx.send<T>(arenad::Audience::everyone(), std::forward<Fill>(fill_message), words));
}

void TanksGame::on_init(arenad::Context& ctx, const arenad::Params& params, arenad_arena_options& options) {
  const sim::Setup setup{.seed = choose_seed(ctx, params),
                         .seconds = static_cast<uint32_t>(params.number("seconds", 300, 1, 3600)),
                         .players = static_cast<size_t>(params.number("players", sim::kMaxTanks, 2, sim::kMaxTanks))};
  options.max_players = static_cast<uint32_t>(setup.players);
  battle_ = sim::Battle(setup, rules_);
}

void TanksGame::on_join(arenad::Context& ctx, arenad::Seat seat, std::string_view name) {
  if (seat >= battle_.situation().seat_count()) return;
  names_[seat] = name;
  present_ |= bit(seat);
  newcomers_ |= bit(seat);
  roster_changed_ = true;
  send<Assigned>(ctx, bit(seat), [&](auto message) { fill(message, battle_.situation(), static_cast<sim::Seat>(seat)); });
}

void TanksGame::on_leave(arenad::Context&, arenad::Seat seat, arenad_leave_reason) {
  if (seat >= battle_.situation().seat_count()) return;
  present_ &= ~bit(seat);
  newcomers_ &= ~bit(seat);
  roster_changed_ = true;
  battle_.halt(static_cast<sim::Seat>(seat));
}

void TanksGame::on_event(arenad::Context&, arenad::Seat seat, Order::Reader order) {
  if ((present_ & bit(seat)) == 0) return;
  battle_.give(static_cast<sim::Seat>(seat), from_wire(order));
}

void TanksGame::on_drain(arenad::Context& ctx, uint64_t deadline_unix_ns) {
  const uint64_t now = ctx.time_unix_ns();
  const uint64_t left = deadline_unix_ns > now ? deadline_unix_ns - now : 0;
  const uint64_t end = battle_.situation().tick + 1 + left / kNanosecondsPerTick;
  if (end >= battle_.situation().end_tick) return;
  battle_.end_by(static_cast<sim::Tick>(end));
  send_to_everyone<Clock>(ctx, [&](auto message) {
    message.setTick(battle_.situation().tick);
    message.setEndTick(battle_.situation().end_tick);
  });
}

void TanksGame::on_tick(arenad::Context& ctx) {
  const auto facts = battle_.tick();
  greet_newcomers(ctx);
  for (const sim::Fact& fact : facts) {
    std::visit([&](const auto& happened) { announce(ctx, happened); }, fact);
  }
  show_each_team(ctx);
  if (const auto outcome = battle_.outcome()) finish(ctx, *outcome);
}

void TanksGame::on_restore(arenad::Context&, State::Reader state) {
  take_over(load(state.getBattle()), state.getPlayers());
}

void TanksGame::take_over(sim::Situation situation, capnp::List<Player>::Reader players) {
  battle_ = sim::Battle(std::move(situation), rules_);
  if (players.size() != battle_.situation().seat_count()) {
    throw std::invalid_argument("players and tanks differ in number");
  }
  for (uint seat = 0; seat < players.size(); ++seat) {
    names_[seat] = players[seat].getName().cStr();
    if (players[seat].getPresent()) present_ |= bit(static_cast<arenad::Seat>(seat));
  }
}

void TanksGame::fill_players(capnp::List<Player>::Builder players) const {
  for (uint seat = 0; seat < players.size(); ++seat) {
    players[seat].setName(names_[seat].c_str());
    players[seat].setPresent((present_ & bit(static_cast<arenad::Seat>(seat))) != 0);
  }
}

void TanksGame::greet_newcomers(arenad::Context& ctx) {
  send<Field>(
      ctx, newcomers_, [&](auto message) { fill(message, battle_.situation()); }, kFieldWords);
  newcomers_ = 0;
  if (!roster_changed_) return;
  roster_changed_ = false;
  send_to_everyone<Roster>(
      ctx, [&](auto message) { fill_players(message.initPlayers(battle_.situation().seat_count())); }, kRosterWords);
}

void TanksGame::show_each_team(arenad::Context& ctx) {
  for (const sim::Team team : {sim::Team{0}, sim::Team{1}}) {
    send<TeamView>(
        ctx, kTeamSeats[team], [&](auto message) { fill(message, battle_.situation(), team); }, kTeamViewWords);
  }
}

void TanksGame::announce(arenad::Context& ctx, const sim::ShotFired& shot) {
  send<ShotFired>(ctx, who_know(shot.shooter, shot.seen_by_enemy), [&](auto message) { fill(message, shot); });
}

void TanksGame::announce(arenad::Context& ctx, const sim::Impact& impact) {
  const auto fill_message = [&](auto message) { fill(message, impact); };
  const bool on_enemy = impact.effect != sim::Effect::obstacle && impact.effect != sim::Effect::blocked;
  if (on_enemy) {
    send_to_everyone<Impact>(ctx, fill_message);
  } else {
    send<Impact>(ctx, who_know(impact.shooter, impact.shot_seen_by_enemy), fill_message);
  }
}

void TanksGame::announce(arenad::Context& ctx, const sim::Destroyed& destroyed) {
  send_to_everyone<Destroyed>(ctx, [&](auto message) { fill(message, battle_.situation(), destroyed); });
}

void TanksGame::announce(arenad::Context& ctx, const sim::Contact& contact) {
  send<Contact>(ctx, kTeamSeats[sim::enemy_of(sim::team_of(contact.seat))], [&](auto message) { fill(message, contact); });
  send<Exposed>(ctx, bit(contact.seat), [&](auto message) { message.setExposed(contact.spotter != sim::kNobody); });
}

void TanksGame::announce(arenad::Context& ctx, const sim::CaptureProgress& capture) {
  send_to_everyone<Capture>(ctx, [&](auto message) { fill(message, capture); });
}

void TanksGame::finish(arenad::Context& ctx, const sim::Outcome& outcome) {
  send_to_everyone<Finished>(ctx, [&](auto message) { fill(message, outcome); });
  for (sim::Seat seat = 0; seat < battle_.situation().seat_count(); ++seat) {
    const bool recorded = ctx.result<Result>(seat, [&](auto message) { fill(message, battle_.situation(), outcome, seat); });
    if (!recorded) ctx.log(ARENAD_LOG_ERROR, "a result was not recorded");
  }
  ctx.end();
}

}  // namespace tanks
