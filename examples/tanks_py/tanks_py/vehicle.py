"""The kinds of tank and what each can do. Public knowledge: clients aim and judge by the same table."""

from dataclasses import dataclass

from .geometry import ANGLES_PER_DEGREE, degrees
from .tanks_capnp import Kind

TICKS_PER_SECOND = 20
TICK_SECONDS = 1.0 / TICKS_PER_SECOND

# All hulls have one size: a box for shells, a circle for driving.
HULL_HALF_LENGTH_METRES = 3.5
HULL_HALF_WIDTH_METRES = 1.7
TANK_RADIUS_METRES = 3.2


@dataclass(frozen=True, slots=True)
class Armour:
    front_mm: float
    side_mm: float
    rear_mm: float


@dataclass(frozen=True, slots=True)
class Gun:
    penetration_mm: float
    damage: int
    reload_ticks: int
    shell_metres_per_second: float
    range_ticks: int  # how long a shell flies
    dispersion: int  # an angle: the widest error of a shot from a standing tank


@dataclass(frozen=True, slots=True)
class Vehicle:
    hit_points: int
    forward_metres_per_second: float
    reverse_metres_per_second: float
    acceleration: float  # metres per second, per second; brakes are twice as strong
    hull_turn_per_tick: int
    turret_turn_per_tick: int
    view_metres: float
    concealment: float  # how much of another's view remains while this one stands still and silent
    armour: Armour
    gun: Gun


def _turn_per_tick(degrees_per_second: float) -> int:
    return int(degrees_per_second * ANGLES_PER_DEGREE * TICK_SECONDS)


def _ticks(seconds: float) -> int:
    return int(seconds * TICKS_PER_SECOND)


LIGHT = Vehicle(
    hit_points=1350,
    forward_metres_per_second=16.0,
    reverse_metres_per_second=6.0,
    acceleration=5.0,
    hull_turn_per_tick=_turn_per_tick(50),
    turret_turn_per_tick=_turn_per_tick(48),
    view_metres=240.0,
    concealment=0.6,
    armour=Armour(front_mm=50.0, side_mm=30.0, rear_mm=20.0),
    gun=Gun(
        penetration_mm=100.0,
        damage=35,
        reload_ticks=_ticks(1.8),
        shell_metres_per_second=320.0,
        range_ticks=_ticks(1.1),
        dispersion=degrees(1.9),
    ),
)

MEDIUM = Vehicle(
    hit_points=2050,
    forward_metres_per_second=13.0,
    reverse_metres_per_second=5.0,
    acceleration=3.5,
    hull_turn_per_tick=_turn_per_tick(42),
    turret_turn_per_tick=_turn_per_tick(40),
    view_metres=215.0,
    concealment=0.75,
    armour=Armour(front_mm=95.0, side_mm=60.0, rear_mm=40.0),
    gun=Gun(
        penetration_mm=130.0,
        damage=55,
        reload_ticks=_ticks(2.4),
        shell_metres_per_second=300.0,
        range_ticks=_ticks(1.2),
        dispersion=degrees(1.7),
    ),
)

HEAVY = Vehicle(
    hit_points=3000,
    forward_metres_per_second=9.0,
    reverse_metres_per_second=4.0,
    acceleration=2.0,
    hull_turn_per_tick=_turn_per_tick(30),
    turret_turn_per_tick=_turn_per_tick(26),
    view_metres=190.0,
    concealment=0.85,
    armour=Armour(front_mm=150.0, side_mm=85.0, rear_mm=60.0),
    gun=Gun(
        penetration_mm=160.0,
        damage=85,
        reload_ticks=_ticks(3.2),
        shell_metres_per_second=280.0,
        range_ticks=_ticks(1.3),
        dispersion=degrees(1.5),
    ),
)

# By kind.
VEHICLES = (LIGHT, MEDIUM, HEAVY)
assert (Kind.light, Kind.medium, Kind.heavy) == (0, 1, 2)
# So there are never more shells in the air than tanks on the field.
assert all(vehicle.gun.reload_ticks >= vehicle.gun.range_ticks for vehicle in VEHICLES)
