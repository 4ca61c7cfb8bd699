"""All that a battle is made of and all that happens in it as text, to the last bit of each number. oracle.cc prints
the same of a battle in C++.
"""

import struct
from collections.abc import Iterator

from drill import Drill
from tanks_py import fact
from tanks_py.battle import Battle
from tanks_py.tanks_capnp import BattleState, ShellState, TankState
from tanks_py.units import shapes_of


def play(battle: Battle, drill: Drill) -> Iterator[str]:
    """From here to the end. What a battle begins with is not in it."""
    while not (outcome := battle.outcome()):
        drill.give_orders(battle)
        for happened in battle.tick():
            yield fact_text(happened)
        yield from situation_text(battle.situation.state)
    yield f"outcome {outcome.winner} {outcome.reason:d}"


def map_text(state: BattleState) -> Iterator[str]:
    for kind, x, y, half_x, half_y in shapes_of(state.obstacles):
        yield f"obstacle {kind:d} {x:g} {y:g} {half_x:g} {half_y:g}"


def situation_text(state: BattleState) -> Iterator[str]:
    yield f"tick {state.tick} {state.end_tick} {state.random} {state.next_shell}"
    for tank in state.tanks:
        yield _tank_text(tank)
    for shell in state.shells:
        yield _shell_text(shell)


def fact_text(happened: fact.Fact) -> str:
    match happened:
        case fact.ShotFired(shell, shooter, x, y, heading, seen):
            return f"fired {shell} {shooter} {_bits(x)} {_bits(y)} {heading} {seen:d}"
        case fact.Impact(shell, shooter, seen, x, y, heading, effect, victim, facing, damage):
            place = f"{_bits(x)} {_bits(y)} {heading}"
            return f"impact {shell} {shooter} {seen:d} {place} {effect:d} {victim} {facing:d} {damage}"
        case fact.Destroyed(seat, by):
            return f"destroyed {seat} {by}"
        case fact.Contact(seat, spotter):
            return f"contact {seat} {spotter}"
        case fact.CaptureProgress(owner, ticks, invaders, contested):
            return f"capture {owner} {ticks} {invaders} {contested:d}"


def _tank_text(tank: TankState) -> str:
    return (
        f"tank {tank.kind:d} {_bits(tank.x)} {_bits(tank.y)} {_bits(tank.speed)} {tank.hull} {tank.turret}"
        f" {tank.hit_points} {tank.reload_ticks} {tank.conspicuous_until} {tank.visible_until} {tank.discovered:d}"
        f" {tank.capture_ticks} {tank.throttle} {tank.turn} {tank.turret_order} {tank.fire:d}"
        f" {tank.shots} {tank.hits} {tank.penetrations} {tank.damage_dealt} {tank.damage_received}"
        f" {tank.kills} {tank.spotted} {tank.destroyed_at}"
    )


def _shell_text(shell: ShellState) -> str:
    return (
        f"shell {shell.id} {shell.shooter} {shell.gun_of:d} {_bits(shell.x)} {_bits(shell.y)} {shell.heading}"
        f" {shell.ticks_left} {shell.seen_by_enemy:d}"
    )


def _bits(value: float) -> str:
    return struct.pack(">d", value).hex()
