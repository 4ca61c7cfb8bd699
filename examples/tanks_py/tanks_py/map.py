"""The battlefield: a square with two bases and obstacles, the same for both sides, since one half is
the other turned by 180 degrees.

              stops tanks   stops shells   hides
  rock            yes           yes         yes     a circle
  building        yes           yes         yes     an upright box
  wood            no            no          yes     a circle; who stands in it looks out of it

Every obstacle lies on whole metres, so that it goes over the wire without loss.

Most obstacles are far from any one place or way. A Map knows which are near, so that the rules ask few of them;
the margins are far wider than any rounding, so that the answers are those that all of them would give.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

from .dice import Seed, between
from .geometry import enter_box, enter_circle
from .tanks_capnp import ObstacleKind

SIZE_METRES = 800.0
BASE_RADIUS_METRES = 30.0
BASES = ((110.0, 400.0), (690.0, 400.0))
MAX_OBSTACLES = 64

# For generate(). Two tanks abreast pass between any two obstacles, so that no tank can be walled in.
_PAIRS = 26
_ATTEMPTS = 600
_GAP_METRES = 15.0
_FREE_AROUND_BASE_METRES = 85.0
_EDGE_METRES = 40
assert 2 * _PAIRS <= MAX_OBSTACLES

# For short ways: square cells, each with the solids that are near it. There is one more at each edge of the map, for
# what has just crossed it.
_CELL_BITS = 4
_CELL_METRES = 1 << _CELL_BITS
_CELLS = int(SIZE_METRES) // _CELL_METRES + 2
NEAR_METRES = 10.0

# For long ways: strips, from south to north and from west to east.
_STRIP_BITS = 3
_STRIP_METRES = 1 << _STRIP_BITS
_STRIPS = int(SIZE_METRES) // _STRIP_METRES + 1
_MARGIN_METRES = 1.0


class Shape(NamedTuple):
    """An obstacle, in metres."""

    kind: ObstacleKind
    x: float
    y: float
    half_x: float  # half width and half height of a building; both the radius of a circle
    half_y: float


class _Obstacle(NamedTuple):
    """A shape as the loops of a Map want it."""

    number: int  # in the order of the map
    is_building: bool
    is_wood: bool
    x: float
    y: float
    half_x: float
    half_y: float


class Map:
    def __init__(self, shapes: Iterable[Shape]) -> None:
        obstacles = [_obstacle(number, shape) for number, shape in enumerate(shapes)]
        self._obstacles = obstacles
        self._near = _cells(obstacles)
        # As bits, one for each obstacle: what reaches east of the beginning of a strip, and so on.
        self._reach_east = [_bits(o.x + o.half_x >= low for o in obstacles) for low, _ in _strips()]
        self._reach_west = [_bits(o.x - o.half_x <= high for o in obstacles) for _, high in _strips()]
        self._reach_north = [_bits(o.y + o.half_y >= low for o in obstacles) for low, _ in _strips()]
        self._reach_south = [_bits(o.y - o.half_y <= high for o in obstacles) for _, high in _strips()]

    def solids_near(self, x: float, y: float) -> tuple[_Obstacle, ...]:
        """Those that come within NEAR_METRES of this place and maybe others, in the order of the map."""
        return self._near[(int(y) + _CELL_METRES >> _CELL_BITS) * _CELLS + (int(x) + _CELL_METRES >> _CELL_BITS)]

    def first_solid(self, x: float, y: float, to_x: float, to_y: float) -> float | None:
        """The fraction of the way at which a shell strikes a rock or a building.

        No way is longer than 2 * NEAR_METRES.
        """
        first = None
        middle_x, middle_y = (x + to_x) * 0.5, (y + to_y) * 0.5
        for _, is_building, _, centre_x, centre_y, half_x, half_y in self.solids_near(middle_x, middle_y):
            if is_building:
                entry = enter_box(x - centre_x, y - centre_y, to_x - x, to_y - y, half_x, half_y)
                fraction = entry[0] if entry else None
            else:
                fraction = enter_circle(x - centre_x, y - centre_y, to_x - x, to_y - y, half_x)
            if fraction is not None and (first is None or fraction < first):
                first = fraction
        return first

    def sees(self, x: float, y: float, target_x: float, target_y: float) -> bool:
        """Whether an eye at x, y sees what is at the target, however far away. Both are on the map."""
        west, east = (x, target_x) if x < target_x else (target_x, x)
        south, north = (y, target_y) if y < target_y else (target_y, y)
        bits = (
            self._reach_east[int(west) >> _STRIP_BITS]
            & self._reach_west[int(east) >> _STRIP_BITS]
            & self._reach_north[int(south) >> _STRIP_BITS]
            & self._reach_south[int(north) >> _STRIP_BITS]
        )
        while bits:
            last = bits.bit_length() - 1
            bits ^= 1 << last
            _, is_building, is_wood, centre_x, centre_y, half_x, half_y = self._obstacles[last]
            if is_building:
                if enter_box(x - centre_x, y - centre_y, target_x - x, target_y - y, half_x, half_y):
                    return False
                continue
            fraction = enter_circle(x - centre_x, y - centre_y, target_x - x, target_y - y, half_x)
            looks_out_of_it = is_wood and fraction == 0
            if fraction is not None and not looks_out_of_it:
                return False
        return True

    def pushed_out(self, x: float, y: float, radius: float) -> tuple[float, float]:
        """The nearest place where a circle of this radius touches no rock, no building and not the edge.

        The place itself if it is free. Each solid pushes in its turn, from where the one before has left off.
        """
        near = self.solids_near(x, y)
        if near:
            x, y = self._pushed_by(near, x, y, radius)
        most = SIZE_METRES - radius
        return (radius if x < radius else most if most < x else x), (radius if y < radius else most if most < y else y)

    def _pushed_by(self, near: Sequence[_Obstacle], x: float, y: float, radius: float) -> tuple[float, float]:
        last = -1
        while True:
            for number, is_building, _, centre_x, centre_y, half_x, half_y in near:
                if number <= last:
                    continue
                if is_building:
                    to_x, to_y = _pushed_out_of_box(x, y, centre_x, centre_y, half_x, half_y, radius)
                else:
                    to_x, to_y = _pushed_out_of_circle(x, y, centre_x, centre_y, half_x + radius)
                if to_x != x or to_y != y:
                    x, y, last = to_x, to_y, number
                    near = self.solids_near(x, y)  # others than before, maybe
                    break
            else:
                return x, y


def contains(x: float, y: float) -> bool:
    return x >= 0 and y >= 0 and x <= SIZE_METRES and y <= SIZE_METRES


def _pushed_out_of_circle(x: float, y: float, centre_x: float, centre_y: float, distance: float) -> tuple[float, float]:
    offset_x, offset_y = x - centre_x, y - centre_y
    squared = offset_x * offset_x + offset_y * offset_y
    if squared >= distance * distance:
        return x, y
    if squared == 0:
        return centre_x + distance, centre_y
    stretch = distance / sqrt(squared)
    return centre_x + offset_x * stretch, centre_y + offset_y * stretch


def _pushed_out_of_box(
    x: float, y: float, centre_x: float, centre_y: float, half_x: float, half_y: float, radius: float
) -> tuple[float, float]:
    offset_x, offset_y = x - centre_x, y - centre_y
    nearest_x = -half_x if offset_x < -half_x else half_x if half_x < offset_x else offset_x
    nearest_y = -half_y if offset_y < -half_y else half_y if half_y < offset_y else offset_y
    if nearest_x != offset_x or nearest_y != offset_y:
        return _pushed_out_of_circle(x, y, centre_x + nearest_x, centre_y + nearest_y, radius)
    # Inside, where no tank gets by driving: out through the nearest side.
    depth_x, depth_y = half_x - abs(offset_x), half_y - abs(offset_y)
    if depth_x < depth_y:
        return x + (depth_x + radius) * (-1 if offset_x < 0 else 1), y
    return x, y + (depth_y + radius) * (-1 if offset_y < 0 else 1)


# ---- what is near ----------------------------------------------------------------------------------


def _obstacle(number: int, shape: Shape) -> _Obstacle:
    kind, x, y, half_x, half_y = shape
    return _Obstacle(number, kind == ObstacleKind.building, kind == ObstacleKind.wood, x, y, half_x, half_y)


def _cells(obstacles: Sequence[_Obstacle]) -> list[tuple[_Obstacle, ...]]:
    cells: list[tuple[_Obstacle, ...]] = [()] * (_CELLS * _CELLS)
    for obstacle in obstacles:
        if obstacle.is_wood:
            continue
        for row in _cells_about(obstacle.y, obstacle.half_y):
            for column in _cells_about(obstacle.x, obstacle.half_x):
                cells[row * _CELLS + column] += (obstacle,)
    return cells


def _cells_about(centre: float, half: float) -> range:
    reach = half + NEAR_METRES + _MARGIN_METRES
    first = int(centre - reach + _CELL_METRES) >> _CELL_BITS
    last = int(centre + reach + _CELL_METRES) >> _CELL_BITS
    return range(max(first, 0), min(last, _CELLS - 1) + 1)


def _strips() -> list[tuple[float, float]]:
    """From where to where each reaches, and a little more."""
    return [
        (strip * _STRIP_METRES - _MARGIN_METRES, (strip + 1) * _STRIP_METRES + _MARGIN_METRES)
        for strip in range(_STRIPS)
    ]


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << number for number, flag in enumerate(flags) if flag)


# ---- a new map -------------------------------------------------------------------------------------


def generate(seed: int) -> list[Shape]:
    dice = Seed(seed)
    placed: list[Shape] = []
    for _ in range(_ATTEMPTS):
        if len(placed) >= 2 * _PAIRS:
            break
        candidate = _draw(dice)
        if _has_room(candidate, placed):
            placed += (candidate, _mirrored(candidate))
    return placed


def _draw(dice: Seed) -> Shape:
    x = float(between(dice, _EDGE_METRES, int(SIZE_METRES) - _EDGE_METRES))
    y = float(between(dice, _EDGE_METRES, int(SIZE_METRES) - _EDGE_METRES))
    percent = between(dice, 0, 99)
    if percent < 45:
        radius = float(between(dice, 6, 14))
        return Shape(ObstacleKind.rock, x, y, radius, radius)
    if percent < 75:
        half_x = float(between(dice, 6, 18))
        half_y = float(between(dice, 6, 18))
        return Shape(ObstacleKind.building, x, y, half_x, half_y)
    radius = float(between(dice, 12, 24))
    return Shape(ObstacleKind.wood, x, y, radius, radius)


def _mirrored(shape: Shape) -> Shape:
    return shape._replace(x=SIZE_METRES - shape.x, y=SIZE_METRES - shape.y)


def _outer_radius(shape: Shape) -> float:
    if shape.kind == ObstacleKind.building:
        return sqrt(shape.half_x * shape.half_x + shape.half_y * shape.half_y)
    return shape.half_x


def _within(x: float, y: float, distance: float) -> bool:
    return x * x + y * y <= distance * distance


def _apart(a: Shape, b: Shape) -> bool:
    return not _within(a.x - b.x, a.y - b.y, _outer_radius(a) + _outer_radius(b) + _GAP_METRES)


def _has_room(candidate: Shape, placed: Sequence[Shape]) -> bool:
    free_around_base = _outer_radius(candidate) + _FREE_AROUND_BASE_METRES
    if any(_within(candidate.x - x, candidate.y - y, free_around_base) for x, y in BASES):
        return False
    return _apart(candidate, _mirrored(candidate)) and all(_apart(candidate, other) for other in placed)
