"""What the rules (driving, gunnery, spotting, capture) work on: the state of a battle, which is saved
and survives a crash, and what follows from it, which is made anew.

A seat is a number from 0, a team 0 or 1; even seats are team 0. Ticks count from the start of the
battle; the first one is 1.
"""

from .map import Map
from .places import Places
from .tanks_capnp import BattleState, TankState
from .units import shapes_of
from .vehicle import VEHICLES

MAX_TANKS = 30
NOBODY = 255
NO_TEAM = 255


def team_of(seat: int) -> int:
    return seat & 1


def enemy_of(team: int) -> int:
    return 1 - team


class Situation:
    __slots__ = ("map", "places", "seats_of", "state", "tanks", "tanks_of", "vehicles")

    def __init__(self, state: BattleState) -> None:
        self.state = state
        self.map = Map(shapes_of(state.obstacles))
        # By seat. The very objects of the state: there is never another tank.
        self.tanks: tuple[TankState, ...] = tuple(state.tanks)
        self.vehicles = tuple(VEHICLES[tank.kind] for tank in self.tanks)
        # By team.
        self.seats_of = tuple(range(team, len(self.tanks), 2) for team in (0, 1))
        self.tanks_of = tuple(self.tanks[team::2] for team in (0, 1))
        self.places = Places((tank.x, tank.y) for tank in self.tanks)

    def move(self, seat: int, x: float, y: float) -> None:
        """The only way to move a tank."""
        tank = self.tanks[seat]
        tank.x = x
        tank.y = y
        self.places.move(seat, x, y)

    def visible_to_enemy(self, seat: int) -> bool:
        """Whether the other team knows where this tank is now."""
        tank = self.tanks[seat]
        return tank.hit_points > 0 and self.state.tick < tank.visible_until
