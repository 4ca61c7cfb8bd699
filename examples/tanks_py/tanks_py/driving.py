"""How tanks move: hull and turret turn at their own rates, engines push, and nothing drives through
rocks, buildings, other tanks or wrecks.
"""

from math import sqrt

from .geometry import ANGLE_MASK, COSINES, SINES, turned_toward
from .places import NEAR_METRES
from .situation import Situation
from .tanks_capnp import TankState
from .vehicle import TANK_RADIUS_METRES, TICK_SECONDS, Vehicle

_APART_METRES = 2 * TANK_RADIUS_METRES
assert _APART_METRES < NEAR_METRES


def drive_tanks(situation: Situation) -> None:
    for seat, tank in enumerate(situation.tanks):
        if tank.hit_points <= 0:
            continue
        vehicle = situation.vehicles[seat]
        _turn(tank, vehicle)
        speed = _approach(tank.speed, _wanted_speed(vehicle, tank.throttle), vehicle.acceleration)
        if speed != 0:
            speed = _move(situation, seat, tank, speed)
        tank.speed = speed


def _turn(tank: TankState, vehicle: Vehicle) -> None:
    turret = tank.turret
    if tank.turn != 0:
        hull_turn = int(vehicle.hull_turn_per_tick * tank.turn / 100)
        tank.hull = (tank.hull + hull_turn) & ANGLE_MASK
        # The hull carries the turret with it; the turret's own drive then works toward its aim.
        turret = (turret + hull_turn) & ANGLE_MASK
    elif turret == tank.turret_order:
        return
    tank.turret = turned_toward(turret, tank.turret_order, vehicle.turret_turn_per_tick)


def _wanted_speed(vehicle: Vehicle, throttle_percent: int) -> float:
    top = vehicle.forward_metres_per_second if throttle_percent >= 0 else vehicle.reverse_metres_per_second
    return top * throttle_percent / 100


def _approach(speed: float, wanted: float, acceleration: float) -> float:
    if speed == wanted:
        return wanted
    brakes = speed * wanted < 0 or abs(wanted) < abs(speed)
    step = acceleration * TICK_SECONDS * (2 if brakes else 1)
    change = wanted - speed
    return speed + (-step if change < -step else step if step < change else change)


def _move(situation: Situation, seat: int, tank: TankState, speed: float) -> float:
    """Returns the speed that is left to it."""
    from_x, from_y = tank.x, tank.y
    ahead_x, ahead_y = COSINES[tank.hull], SINES[tank.hull]
    metres = speed * TICK_SECONDS
    wanted_x, wanted_y = from_x + ahead_x * metres, from_y + ahead_y * metres
    free_x, free_y = _pushed_off_other_tanks(situation, seat, wanted_x, wanted_y)
    x, y = situation.map.pushed_out(free_x, free_y, TANK_RADIUS_METRES)
    situation.move(seat, x, y)
    if x == wanted_x and y == wanted_y:
        return speed
    # Whatever it ran into takes its speed; being pushed aside gives it none.
    most = abs(speed)
    kept = ((x - from_x) * ahead_x + (y - from_y) * ahead_y) / TICK_SECONDS
    return -most if kept < -most else most if most < kept else kept


def _pushed_off_other_tanks(situation: Situation, mover: int, x: float, y: float) -> tuple[float, float]:
    """Each of the others pushes in its turn, from where the one before has left off."""
    places = situation.places
    others = places.near(x, y) & ~(1 << mover)
    while others:
        bit = others & -others
        others ^= bit
        other = bit.bit_length() - 1
        other_x, other_y = places.xs[other], places.ys[other]
        offset_x, offset_y = x - other_x, y - other_y
        squared = offset_x * offset_x + offset_y * offset_y
        if squared >= _APART_METRES * _APART_METRES or squared == 0:
            continue
        stretch = _APART_METRES / sqrt(squared)
        x, y = other_x + offset_x * stretch, other_y + offset_y * stretch
        others = places.near(x, y) & ~(1 << mover) & -(bit << 1)  # who is near there, of those that come after
    return x, y
