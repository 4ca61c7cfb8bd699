"""What becomes of a shell that strikes a hull. The more slanting the blow, the more steel is in its way:
thickness / cos(angle to the plate's normal). Beyond 70 degrees it glances off.
"""

from math import sqrt
from typing import NamedTuple

from .geometry import COSINES, SINES, enter_box
from .tanks_capnp import Effect, Facing
from .vehicle import HULL_HALF_LENGTH_METRES, HULL_HALF_WIDTH_METRES, Armour

_COSINE_OF_70_DEGREES = 0.34202014332566873


class Strike(NamedTuple):
    fraction: float  # of the shell's way in this tick
    facing: Facing
    cosine: float  # of the angle between the shell's way and the plate's normal: 1 is head-on


def strike_hull(
    x: float, y: float, to_x: float, to_y: float, centre_x: float, centre_y: float, hull: int
) -> Strike | None:
    # Both ends of the way as the tank's commander sees them: x ahead, y to the left.
    ahead_x, ahead_y = COSINES[hull], SINES[hull]
    offset_x, offset_y = x - centre_x, y - centre_y
    start_x = offset_x * ahead_x + offset_y * ahead_y
    start_y = ahead_x * offset_y - ahead_y * offset_x
    offset_x, offset_y = to_x - centre_x, to_y - centre_y
    way_x = offset_x * ahead_x + offset_y * ahead_y - start_x
    way_y = ahead_x * offset_y - ahead_y * offset_x - start_y
    entry = enter_box(start_x, start_y, way_x, way_y, HULL_HALF_LENGTH_METRES, HULL_HALF_WIDTH_METRES)
    if entry is None:
        return None
    fraction, through_front_or_rear = entry
    way_length = sqrt(way_x * way_x + way_y * way_y)
    if not through_front_or_rear:
        return Strike(fraction, Facing.side, abs(way_y) / way_length)
    return Strike(fraction, Facing.front if way_x < 0 else Facing.rear, abs(way_x) / way_length)


def effective_armour_mm(armour: Armour, strike: Strike) -> float:
    return _plate_mm(armour, strike.facing) / strike.cosine


def glances_off(strike: Strike) -> bool:
    return strike.cosine < _COSINE_OF_70_DEGREES


def judge(armour: Armour, strike: Strike, penetration_mm: float) -> Effect:
    if glances_off(strike):
        return Effect.ricochet
    pierces = penetration_mm >= effective_armour_mm(armour, strike)
    return Effect.penetration if pierces else Effect.no_penetration


def _plate_mm(armour: Armour, facing: Facing) -> float:
    if facing == Facing.front:
        return armour.front_mm
    return armour.side_mm if facing == Facing.side else armour.rear_mm
