"""Orders for tests: what the tanks of a battle shall do, from a seed, with no clients and no libm.

  battle    everyone drives to the nearest enemy, and fires
  hunt      likewise, but only team 0 fires
  rush      everyone drives to the enemy's base along a lane of his own, and stops there
  truce     likewise, and the battle is ended early
  madness   orders without any sense

Some orders of each are without sense, and some are to halt. oracle.cc has the same drills in C++.
"""

from tanks_py import dice
from tanks_py.battle import Battle
from tanks_py.geometry import COSINES, SINES, turn_between
from tanks_py.map import BASES
from tanks_py.situation import Situation, enemy_of, team_of

Place = tuple[float, float]


class Drill:
    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.dice = dice.Seed(seed ^ 0x5DEECE66D)

    def give_orders(self, battle: Battle) -> None:
        situation = battle.situation
        tick = situation.state.tick
        for seat, tank in enumerate(situation.tanks):
            if (tick + seat) % 8 != 0 or tank.hit_points <= 0:
                continue
            if self.name == "madness":
                self._give_wild_order(battle, seat)
                continue
            luck = dice.between(self.dice, 0, 99)
            if luck == 0:
                battle.halt(seat)
            elif luck < 4:
                self._give_wild_order(battle, seat)
            else:
                self._give_order(battle, seat)
        if self.name == "truce" and tick == 600:
            battle.end_by(900)

    def _give_wild_order(self, battle: Battle, seat: int) -> None:
        throttle = dice.between(self.dice, -128, 127)
        turn = dice.between(self.dice, -128, 127)
        turret = dice.between(self.dice, 0, 65535)
        battle.give(seat, throttle, turn, turret, fire=dice.between(self.dice, 0, 1) == 1)

    def _give_order(self, battle: Battle, seat: int) -> None:
        situation = battle.situation
        tank = situation.tanks[seat]
        here = tank.x, tank.y
        enemy = _nearest_enemy(situation, seat)
        fights = self.name in ("battle", "hunt")
        base = BASES[enemy_of(team_of(seat))]
        goal = enemy if fights and enemy else _way_to(base, here, seat)
        turn = turn_between(tank.hull, bearing(here, goal))
        is_there = _within(here, goal, 70) if fights else _within(here, base, 20)
        turret, fire = tank.turret, False
        if fights and enemy:
            turret = bearing(here, enemy)
            fire = (self.name == "battle" or team_of(seat) == 0) and _within(here, enemy, 330)
        throttle = 0 if is_there else 100 if abs(turn) < 8192 else 30
        battle.give(seat, throttle, max(-100, min(int(turn / 4), 100)), turret, fire)


def bearing(here: Place, to: Place) -> int:
    """By halving, since the simulation's vectors are the only trigonometry that is the same everywhere."""
    way_x, way_y = to[0] - here[0], to[1] - here[1]

    def is_left_of(angle: int) -> bool:
        angle &= 0xFFFF
        return COSINES[angle] * way_y - SINES[angle] * way_x >= 0

    angle = 0 if is_left_of(0) else 32768
    step = 16384
    while step > 0:
        if is_left_of(angle + step):
            angle += step
        step //= 2
    return angle


def _squared(a: Place, b: Place) -> float:
    x, y = a[0] - b[0], a[1] - b[1]
    return x * x + y * y


def _within(a: Place, b: Place, distance: float) -> bool:
    return _squared(a, b) <= distance * distance


def _way_to(base: Place, here: Place, seat: int) -> Place:
    lane = 150 + 30.0 * (seat // 2)
    return (400.0, lane) if abs(here[0] - base[0]) > 290 else base


def _nearest_enemy(situation: Situation, seat: int) -> Place | None:
    here = situation.tanks[seat].x, situation.tanks[seat].y
    nearest = None
    for other in situation.seats_of[enemy_of(team_of(seat))]:
        tank = situation.tanks[other]
        if tank.hit_points <= 0:
            continue
        there = tank.x, tank.y
        if nearest is None or _squared(there, here) < _squared(nearest, here):
            nearest = there
    return nearest
