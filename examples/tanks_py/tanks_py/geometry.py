"""The plane that a battle is fought on: metres, and angles as whole numbers.

An angle is 0 to 65535, 65536 to a full turn, anticlockwise from the x axis; whoever adds to one
masks the sum with ANGLE_MASK. A place or a way is two floats, x and y: no rule makes an object of them.

Nothing here calls libm except sqrt, which IEEE 754 rounds exactly, so that a battle that is run
again gives the same bits on any machine. For the same reason no sum may be put in another order.
"""

from __future__ import annotations

from array import array
from math import inf, pi, sqrt

ANGLE_MASK = 0xFFFF
ANGLES_PER_DEGREE = 65536.0 / 360.0

_QUADRANT = 16384
_SQRT_HALF = 0.70710678118654752440


def degrees(value: float) -> int:
    """The angle of so many degrees."""
    return int(value * ANGLES_PER_DEGREE) & ANGLE_MASK


def turn_between(start: int, to: int) -> int:
    """The shorter way round, from -32768 to 32767; positive is anticlockwise."""
    return ((to - start + 32768) & ANGLE_MASK) - 32768


def turned_toward(start: int, to: int, most: int) -> int:
    """`start` turned toward `to`, by `most` at most."""
    turn = ((to - start + 32768) & ANGLE_MASK) - 32768
    if turn > most:
        return (start + most) & ANGLE_MASK
    if turn < -most:
        return (start - most) & ANGLE_MASK
    return to


def _near_zero(radians: float) -> tuple[float, float]:
    """Cosine and sine by their Taylor series, up to 45 degrees; the next term is below 1e-11."""
    q = radians * radians
    sine = radians * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72 * (1 - q / 110)))))
    cosine = 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56 * (1 - q / 90 * (1 - q / 132)))))
    return cosine, sine


def _all_directions() -> tuple[array[float], array[float]]:
    cosines, sines = array("d"), array("d")
    for angle in range(_QUADRANT):
        # Each quadrant is taken from its middle, where the series is at its best.
        x, y = _near_zero((angle - _QUADRANT // 2) * (pi / 2 / _QUADRANT))
        cosines.append((x - y) * _SQRT_HALF)
        sines.append((x + y) * _SQRT_HALF)
    minus_cosines = array("d", (-cosine for cosine in cosines))
    minus_sines = array("d", (-sine for sine in sines))
    return cosines + minus_sines + minus_cosines + sines, sines + cosines + minus_sines + minus_cosines


# The unit vector of each angle; right to 1e-11. Arrays and not lists: they hold no objects whose reference counts
# would be written to, so that all arenas share the pages of the process that they were forked from.
COSINES, SINES = _all_directions()


def enter_circle(start_x: float, start_y: float, way_x: float, way_y: float, radius: float) -> float | None:
    """The fraction of a way, 0 to 1, at which it enters a circle round the origin; 0 if it begins inside."""
    outside = start_x * start_x + start_y * start_y - radius * radius
    if outside <= 0:
        return 0.0
    approach = -(start_x * way_x + start_y * way_y)
    if approach <= 0:
        return None
    way_squared = way_x * way_x + way_y * way_y
    discriminant = approach * approach - way_squared * outside
    if discriminant < 0:
        return None
    fraction = (approach - sqrt(discriminant)) / way_squared
    return None if fraction > 1 else fraction


def enter_box(
    start_x: float, start_y: float, way_x: float, way_y: float, half_x: float, half_y: float
) -> tuple[float, bool] | None:
    """Where a way enters an upright box of these half sizes round the origin.

    The fraction of the way, as for a circle, and whether the x axis is across the side that it came through.
    """
    # From which fraction to which the way is between the two sides of each axis.
    if way_x == 0:
        if abs(start_x) > half_x:
            return None
        enter_x, leave_x = -inf, inf
    else:
        enter_x = (-half_x - start_x) / way_x
        leave_x = (half_x - start_x) / way_x
        if leave_x < enter_x:
            enter_x, leave_x = leave_x, enter_x
    if way_y == 0:
        if abs(start_y) > half_y:
            return None
        enter_y, leave_y = -inf, inf
    else:
        enter_y = (-half_y - start_y) / way_y
        leave_y = (half_y - start_y) / way_y
        if leave_y < enter_y:
            enter_y, leave_y = leave_y, enter_y
    enter = enter_y if enter_x < enter_y else enter_x
    leave = leave_y if leave_y < leave_x else leave_x
    if enter > leave or leave < 0 or enter > 1:
        return None
    return 0.0 if enter < 0 else enter, enter_x >= enter_y
