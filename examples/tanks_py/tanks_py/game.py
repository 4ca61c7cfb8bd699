"""The game as Arenad runs it: joins the simulation (battle.py) to the callbacks of arenad.Game.

Orders go in; what happened in a tick goes out to those who may know it.

Hidden information: a team learns of an enemy's place and shots only while it sees him. What is for one
team goes to those of its seats that are present, and to nobody if none is.
"""

from __future__ import annotations

import arenad

from . import fact, wire
from .battle import Battle, Outcome, new_battle
from .situation import MAX_TANKS, enemy_of, team_of
from .tanks_capnp import (
    Assigned,
    Capture,
    Clock,
    Contact,
    Destroyed,
    Exposed,
    Field,
    Finished,
    Impact,
    Order,
    Player,
    Result,
    Roster,
    ShotFired,
    State,
    TeamView,
)
from .vehicle import TICKS_PER_SECOND

_TEAM_SEATS = (0x5555555555555555, 0xAAAAAAAAAAAAAAAA)
_ALL_SEATS = _TEAM_SEATS[0] | _TEAM_SEATS[1]
_NANOSECONDS_PER_TICK = 1_000_000_000 // TICKS_PER_SECOND


class Tanks(arenad.Game[State]):
    name = "tanks_py"
    version = "1.0"
    tick_hz = TICKS_PER_SECOND
    max_players = MAX_TANKS
    # The largest state has 30 tanks, 64 obstacles, 30 shells and 30 names: 8 KiB. In the busiest frame
    # 30 players join, and all fire, hit, destroy and are spotted: 13 KiB with record headers.
    max_state_bytes = 16 * 1024
    max_frame_output_bytes = 16 * 1024

    Events = (Order,)
    Results = (Result,)
    Outputs = (
        Assigned,
        Field,
        Roster,
        TeamView,
        ShotFired,
        Impact,
        Destroyed,
        Contact,
        Exposed,
        Capture,
        Clock,
        Finished,
    )

    # Made from self.state; it keeps the battle's state in self.state.battle.
    _battle: Battle
    # The players that are present, one bit for each seat.
    _present: int
    # Set by joins and leaves, and used up by the tick of the same frame.
    _newcomers: int
    _roster_changed: bool

    @classmethod
    def warm_up(cls) -> None:
        """Plays a little, so that the interpreter has adapted its code before arenas are forked from it."""
        battle = Battle(new_battle(seed=1))
        for seat in range(MAX_TANKS):
            battle.give(seat, throttle=100, turn=0, turret=0, fire=True)
        for _ in range(10 * TICKS_PER_SECOND):
            battle.tick()
            battle.outcome()
            wire.team_views(battle.situation)

    def on_init(self, ctx: arenad.Context, params: arenad.Params) -> None:
        players = params.number("players", MAX_TANKS, 2, MAX_TANKS)
        seed = _choose_seed(ctx, params)
        ctx.options.max_players = players
        self.state.battle = new_battle(seed, seconds=params.number("seconds", 300, 1, 3600), players=players)
        self.state.players = [Player() for _ in range(players)]
        self._go_on()

    def on_restore(self, ctx: arenad.Context) -> None:
        if len(self.state.players) != len(self.state.battle.tanks):
            raise ValueError("players and tanks differ in number")
        self._go_on()

    def _go_on(self) -> None:
        self._battle = Battle(self.state.battle)
        self._present = sum(_bit(seat) for seat, player in enumerate(self.state.players) if player.present)
        self._newcomers = 0
        self._roster_changed = False

    def on_join(self, ctx: arenad.Context, seat: int, name: str) -> None:
        if seat >= len(self.state.players):
            return
        player = self.state.players[seat]
        player.name = name
        player.present = True
        self._present |= _bit(seat)
        self._newcomers |= _bit(seat)
        self._roster_changed = True
        self._send(ctx, _bit(seat), wire.assigned(self._battle.situation, seat))

    def on_leave(self, ctx: arenad.Context, seat: int, reason: int) -> None:
        """The tank stays on the field, standing, until its player comes back."""
        if seat >= len(self.state.players):
            return
        self.state.players[seat].present = False
        self._present &= ~_bit(seat)
        self._newcomers &= ~_bit(seat)
        self._roster_changed = True
        self._battle.halt(seat)

    def on_event(self, ctx: arenad.Context, seat: int, order: Order.Reader) -> None:
        if self._present & _bit(seat):
            self._battle.give(seat, order.throttle, order.turn, order.turret, order.fire)

    def on_drain(self, ctx: arenad.Context, deadline_unix_ns: int) -> None:
        state = self.state.battle
        left = max(deadline_unix_ns - ctx.time_unix_ns, 0)
        end = state.tick + 1 + left // _NANOSECONDS_PER_TICK
        if end >= state.end_tick:
            return
        self._battle.end_by(end)
        self._send_to_everyone(ctx, Clock(tick=state.tick, end_tick=state.end_tick))

    def on_tick(self, ctx: arenad.Context) -> None:
        facts = self._battle.tick()
        self._greet_newcomers(ctx)
        for happened in facts:
            self._announce(ctx, happened)
        self._show_each_team(ctx)
        outcome = self._battle.outcome()
        if outcome:
            self._finish(ctx, outcome)

    def _greet_newcomers(self, ctx: arenad.Context) -> None:
        if self._newcomers:
            self._send(ctx, self._newcomers, wire.field(self._battle.situation))
            self._newcomers = 0
        if self._roster_changed:
            self._send_to_everyone(ctx, Roster(players=self.state.players))
            self._roster_changed = False

    def _show_each_team(self, ctx: arenad.Context) -> None:
        if not self._present:
            return
        for team, view in enumerate(wire.team_views(self._battle.situation)):
            self._send(ctx, _TEAM_SEATS[team], view)

    def _announce(self, ctx: arenad.Context, happened: fact.Fact) -> None:
        match happened:
            case fact.ShotFired():
                self._send(ctx, _who_know(happened.shooter, happened.seen_by_enemy), wire.shot_fired(happened))
            case fact.Impact() if happened.on_enemy:
                self._send_to_everyone(ctx, wire.impact(happened))
            case fact.Impact():
                self._send(ctx, _who_know(happened.shooter, happened.shot_seen_by_enemy), wire.impact(happened))
            case fact.Destroyed():
                self._send_to_everyone(ctx, wire.destroyed(self._battle.situation, happened))
            case fact.Contact():
                self._send(ctx, _TEAM_SEATS[enemy_of(team_of(happened.seat))], wire.contact(happened))
                self._send(ctx, _bit(happened.seat), wire.exposed(happened))
            case fact.CaptureProgress():
                self._send_to_everyone(ctx, wire.capture_progress(happened))

    def _finish(self, ctx: arenad.Context, outcome: Outcome) -> None:
        self._send_to_everyone(ctx, wire.finished(outcome.winner, outcome.reason))
        for seat in range(len(self.state.players)):
            if not ctx.result(seat, wire.result(self._battle.situation, outcome.winner, outcome.reason, seat)):
                ctx.log.error("a result was not recorded")
        ctx.end()

    # The next view tells a client most of what it missed, so the battle goes on after a drop.

    def _send(self, ctx: arenad.Context, seats: int, message: object) -> None:
        """To those of the seats that are present."""
        if not ctx.send(message, to=seats & self._present):
            ctx.log.warning("an output was dropped: the output ring is full")

    def _send_to_everyone(self, ctx: arenad.Context, message: object) -> None:
        if not ctx.broadcast(message):
            ctx.log.warning("an output was dropped: the output ring is full")


def _bit(seat: int) -> int:
    return 1 << seat


def _choose_seed(ctx: arenad.Context, params: arenad.Params) -> int:
    """Without a seed each battle gets a map of its own."""
    if not params.get("seed"):
        return ctx.random.next()
    return params.number("seed", 0, 0, 2**63 - 1)


def _who_know(shooter: int, seen_by_enemy: bool) -> int:
    return _ALL_SEATS if seen_by_enemy else _TEAM_SEATS[team_of(shooter)]
