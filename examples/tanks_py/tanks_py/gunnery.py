"""Guns load and fire; shells fly until they strike something or are spent."""

from math import sqrt
from typing import NamedTuple

from . import dice
from .armour import Strike, judge, strike_hull
from .fact import Destroyed, Fact, Impact, ShotFired
from .geometry import ANGLE_MASK, COSINES, SINES
from .map import NEAR_METRES, contains
from .places import AROUND_METRES
from .situation import NOBODY, Situation, team_of
from .tanks_capnp import BattleState, Effect, Facing, ShellState, TankState
from .vehicle import (
    HULL_HALF_LENGTH_METRES,
    HULL_HALF_WIDTH_METRES,
    TICK_SECONDS,
    TICKS_PER_SECOND,
    VEHICLES,
    Gun,
)

# A shell's penetration and damage are drawn at the impact, within this share of the gun's.
PENETRATION_SPREAD = 0.2
DAMAGE_SPREAD = 0.25
# A gun on a moving tank is this many times less precise.
MOVING_DISPERSION_FACTOR = 2
CONSPICUOUS_TICKS = 5 * TICKS_PER_SECOND

# How far a corner of a hull is from its middle.
_HULL_REACH_METRES = sqrt(
    HULL_HALF_LENGTH_METRES * HULL_HALF_LENGTH_METRES + HULL_HALF_WIDTH_METRES * HULL_HALF_WIDTH_METRES
)

_SHELL_METRES_PER_TICK = tuple(vehicle.gun.shell_metres_per_second * TICK_SECONDS for vehicle in VEHICLES)
assert max(_SHELL_METRES_PER_TICK) / 2 + _HULL_REACH_METRES < AROUND_METRES
assert max(_SHELL_METRES_PER_TICK) <= 2 * NEAR_METRES


def fire_guns(situation: Situation, facts: list[Fact]) -> None:
    for seat, tank in enumerate(situation.tanks):
        if tank.hit_points <= 0:
            continue
        reload_ticks = tank.reload_ticks
        if reload_ticks > 0:
            reload_ticks -= 1
            tank.reload_ticks = reload_ticks
        if reload_ticks == 0 and tank.fire:
            facts.append(_fire(situation, seat, tank))


def _fire(situation: Situation, seat: int, tank: TankState) -> ShotFired:
    state = situation.state
    gun = situation.vehicles[seat].gun
    shell = ShellState(
        id=state.next_shell,
        shooter=seat,
        gun_of=tank.kind,
        # From the turret's axis and not the muzzle, which may reach into what stands before the tank.
        x=tank.x,
        y=tank.y,
        heading=_with_dispersion(state, tank, gun),
        ticks_left=gun.range_ticks,
        seen_by_enemy=situation.visible_to_enemy(seat),
    )
    state.next_shell += 1
    state.shells.append(shell)

    tank.reload_ticks = gun.reload_ticks
    tank.conspicuous_until = state.tick + CONSPICUOUS_TICKS
    tank.shots += 1
    return ShotFired(shell.id, seat, shell.x, shell.y, shell.heading, shell.seen_by_enemy)


def _with_dispersion(state: BattleState, tank: TankState, gun: Gun) -> int:
    """The sum of two dice: small errors are more frequent than large ones."""
    factor = 1 if tank.speed == 0 else MOVING_DISPERSION_FACTOR
    error = gun.dispersion * factor * (dice.unit(state) + dice.unit(state) - 1)
    return (tank.turret + int(error)) & ANGLE_MASK


def fly_shells(situation: Situation, facts: list[Fact]) -> None:
    shells = situation.state.shells
    still_flying = [shell for shell in shells if _fly(situation, shell, facts)]
    if len(still_flying) != len(shells):
        shells[:] = still_flying


def _fly(situation: Situation, shell: ShellState, facts: list[Fact]) -> bool:
    """False when the shell's flight is over."""
    heading = shell.heading
    metres = _SHELL_METRES_PER_TICK[shell.gun_of]
    to_x, to_y = shell.x + COSINES[heading] * metres, shell.y + SINES[heading] * metres
    target = _first_target(situation, shell, to_x, to_y)
    if target:
        _strike(situation, shell, to_x, to_y, target, facts)
        return False
    shell.x = to_x
    shell.y = to_y
    shell.ticks_left -= 1
    return shell.ticks_left > 0 and contains(to_x, to_y)


class _Target(NamedTuple):
    seat: int  # NOBODY: an obstacle
    strike: Strike


def _first_target(situation: Situation, shell: ShellState, to_x: float, to_y: float) -> _Target | None:
    """The first thing on the shell's way of this tick."""
    first = None
    places = situation.places
    x, y = shell.x, shell.y
    way_x, way_y = to_x - x, to_y - y
    middle_x, middle_y = (x + to_x) * 0.5, (y + to_y) * 0.5
    reach = sqrt(way_x * way_x + way_y * way_y) / 2 + _HULL_REACH_METRES
    seats = places.around(middle_x, middle_y) & ~(1 << shell.shooter)
    while seats:
        bit = seats & -seats
        seats ^= bit
        seat = bit.bit_length() - 1
        tank_x, tank_y = places.xs[seat], places.ys[seat]
        offset_x, offset_y = tank_x - middle_x, tank_y - middle_y
        if offset_x * offset_x + offset_y * offset_y > reach * reach:
            continue
        strike = strike_hull(x, y, to_x, to_y, tank_x, tank_y, situation.tanks[seat].hull)
        if strike and (first is None or strike.fraction < first.strike.fraction):
            first = _Target(seat, strike)
    solid = situation.map.first_solid(x, y, to_x, to_y)
    if solid is not None and (first is None or solid < first.strike.fraction):
        first = _Target(NOBODY, Strike(solid, Facing.front, 1.0))
    return first


def _strike(
    situation: Situation, shell: ShellState, to_x: float, to_y: float, target: _Target, facts: list[Fact]
) -> None:
    effect = _effect_on(situation, shell, target)
    dealt = _damage(situation, shell, target.seat) if effect == Effect.penetration else 0
    fraction = target.strike.fraction
    impact = Impact(
        shell.id,
        shell.shooter,
        shell.seen_by_enemy,
        shell.x + (to_x - shell.x) * fraction,
        shell.y + (to_y - shell.y) * fraction,
        shell.heading,
        effect,
        target.seat,
        target.strike.facing,
        dealt,
    )
    facts.append(impact)
    if not impact.on_enemy:
        return
    situation.tanks[shell.shooter].hits += 1
    if situation.tanks[target.seat].hit_points <= 0:
        facts.append(Destroyed(target.seat, shell.shooter))


def _effect_on(situation: Situation, shell: ShellState, target: _Target) -> Effect:
    if target.seat == NOBODY:
        return Effect.obstacle
    if situation.tanks[target.seat].hit_points <= 0 or team_of(target.seat) == team_of(shell.shooter):
        return Effect.blocked
    gun = VEHICLES[shell.gun_of].gun
    penetration_mm = gun.penetration_mm * dice.factor(situation.state, PENETRATION_SPREAD)
    return judge(situation.vehicles[target.seat].armour, target.strike, penetration_mm)


def _damage(situation: Situation, shell: ShellState, victim_seat: int) -> int:
    """Returns the damage, which is never more than what was left of the victim."""
    victim = situation.tanks[victim_seat]
    shooter = situation.tanks[shell.shooter]
    drawn = VEHICLES[shell.gun_of].gun.damage * dice.factor(situation.state, DAMAGE_SPREAD)
    dealt = min(int(drawn), victim.hit_points)
    victim.hit_points -= dealt
    victim.capture_ticks = 0
    victim.damage_received += dealt
    shooter.damage_dealt += dealt
    shooter.penetrations += 1
    if victim.hit_points <= 0:
        victim.speed = 0.0
        victim.destroyed_at = situation.state.tick
        shooter.kills += 1
    return dealt
