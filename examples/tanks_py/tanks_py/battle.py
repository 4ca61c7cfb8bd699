"""A battle of two teams: the rules in their order, tick by tick, until it is decided.

A tick: tanks drive, guns fire, shells fly, tanks are spotted, bases are captured. Everyone fires
before any shell strikes, so that no seat gains from its number.

Nothing here knows Arenad. A battle is a pure function of its state and the orders; it takes its dice
from the state.
"""

from typing import NamedTuple, TypeVar

from .capture import CAPTURED_TICKS, capture_bases, captured_ticks
from .driving import drive_tanks
from .fact import Fact
from .geometry import degrees
from .gunnery import fire_guns, fly_shells
from .map import BASES, SIZE_METRES, contains, generate
from .situation import MAX_TANKS, NO_TEAM, Situation, team_of
from .spotting import spot_tanks
from .tanks_capnp import BattleState, EndReason, Kind, TankState
from .units import obstacles_of
from .vehicle import TICKS_PER_SECOND, VEHICLES

# Both teams have the same tanks; five make a row.
LINE_UP = (Kind.heavy, Kind.medium, Kind.light, Kind.medium, Kind.heavy)
_ROW_METRES = 18.0
_FILE_METRES = 22.0

_Strength = TypeVar("_Strength", bool, tuple[int, int])


class Outcome(NamedTuple):
    winner: int  # NO_TEAM: a draw
    reason: EndReason


def new_battle(seed: int, seconds: int = 300, players: int = MAX_TANKS) -> BattleState:
    """The seed is that of the map and of the dice; players are 2 to MAX_TANKS."""
    _require(2 <= players <= MAX_TANKS, "a battle needs 2 to 30 players")
    return BattleState(
        end_tick=seconds * TICKS_PER_SECOND,
        random=seed,
        next_shell=1,
        obstacles=obstacles_of(generate(seed)),
        tanks=[_start(seat) for seat in range(players)],
    )


class Battle:
    def __init__(self, state: BattleState) -> None:
        """Goes on from there, and keeps its state there. ValueError if no battle can be in that state."""
        _require(2 <= len(state.tanks) <= MAX_TANKS, "a battle needs 2 to 30 tanks")
        _require(all(_is_possible(tank) for tank in state.tanks), "a tank is off the map or has impossible values")
        _require(all(shell.shooter < len(state.tanks) for shell in state.shells), "a shell was fired by nobody")
        _require(all(contains(shell.x, shell.y) for shell in state.shells), "a shell is off the map")
        self.situation = Situation(state)

    def give(self, seat: int, throttle: int, turn: int, turret: int, fire: bool) -> None:
        """Values beyond 100 per cent count as 100; orders to wrecks do nothing."""
        tank = self.situation.tanks[seat]
        tank.throttle = -100 if throttle < -100 else 100 if throttle > 100 else throttle
        tank.turn = -100 if turn < -100 else 100 if turn > 100 else turn
        tank.turret_order = turret
        tank.fire = fire

    def halt(self, seat: int) -> None:
        """The tank stops, and holds its gun where it points."""
        self.give(seat, throttle=0, turn=0, turret=self.situation.tanks[seat].turret, fire=False)

    def end_by(self, tick: int) -> None:
        """The battle is over at this tick at the latest."""
        state = self.situation.state
        state.end_tick = min(state.end_tick, tick)

    def tick(self) -> list[Fact]:
        """Returns what happened."""
        situation = self.situation
        facts: list[Fact] = []
        situation.state.tick += 1
        drive_tanks(situation)
        fire_guns(situation, facts)
        fly_shells(situation, facts)
        spot_tanks(situation, facts)
        capture_bases(situation, facts)
        return facts

    def outcome(self) -> Outcome | None:
        """None while the battle goes on."""
        situation = self.situation
        left_0, left_1 = _is_left(situation, 0), _is_left(situation, 1)
        if not left_0 or not left_1:
            return Outcome(_better(left_0, left_1), EndReason.destroyed)
        captured_by_0 = captured_ticks(situation, 1) >= CAPTURED_TICKS
        captured_by_1 = captured_ticks(situation, 0) >= CAPTURED_TICKS
        if captured_by_0 or captured_by_1:
            return Outcome(_better(captured_by_0, captured_by_1), EndReason.captured)
        if situation.state.tick >= situation.state.end_tick:
            return Outcome(_better(_strength(situation, 0), _strength(situation, 1)), EndReason.time_over)
        return None


def _west_start(place: int) -> tuple[float, float]:
    row, file = divmod(place, len(LINE_UP))
    return BASES[0][0] + _ROW_METRES * (1 - row), BASES[0][1] + _FILE_METRES * (file - 2)


def _start(seat: int) -> TankState:
    place = seat // 2
    kind = LINE_UP[place % len(LINE_UP)]
    x, y = _west_start(place)
    hull = 0
    if team_of(seat) == 1:
        x, y = SIZE_METRES - x, SIZE_METRES - y
        hull = degrees(180)
    hit_points = VEHICLES[kind].hit_points
    return TankState(kind=kind, x=x, y=y, hull=hull, turret=hull, turret_order=hull, hit_points=hit_points)


def _is_possible(tank: TankState) -> bool:
    vehicle = VEHICLES[tank.kind]
    return (
        contains(tank.x, tank.y)
        and abs(tank.speed) < vehicle.forward_metres_per_second + 1
        and 0 <= tank.hit_points <= vehicle.hit_points
        and tank.reload_ticks >= 0
    )


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def _is_left(situation: Situation, team: int) -> bool:
    for tank in situation.tanks_of[team]:
        if tank.hit_points > 0:
            return True
    return False


def _strength(situation: Situation, team: int) -> tuple[int, int]:
    """How many are left; and what all have done, which decides if as many are left of both."""
    tanks = situation.tanks_of[team]
    return sum(tank.hit_points > 0 for tank in tanks), sum(tank.damage_dealt for tank in tanks)


def _better(team_0: _Strength, team_1: _Strength) -> int:
    if team_0 == team_1:
        return NO_TEAM
    return 0 if team_0 > team_1 else 1
