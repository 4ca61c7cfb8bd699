"""What happened in a tick, in its order. The rules report facts; who may learn of them is decided by game.py."""

from typing import NamedTuple

from .tanks_capnp import Effect, Facing


class ShotFired(NamedTuple):
    shell: int
    shooter: int
    x: float
    y: float
    heading: int
    seen_by_enemy: bool


class Impact(NamedTuple):
    shell: int
    shooter: int
    shot_seen_by_enemy: bool
    x: float
    y: float
    heading: int
    effect: Effect
    victim: int  # NOBODY: an obstacle
    facing: Facing  # of the victim
    damage: int

    @property
    def on_enemy(self) -> bool:
        return self.effect != Effect.obstacle and self.effect != Effect.blocked


class Destroyed(NamedTuple):
    seat: int
    by: int


class Contact(NamedTuple):
    """The other team of `seat` begins or ceases to see it."""

    seat: int
    spotter: int  # NOBODY when it is lost


class CaptureProgress(NamedTuple):
    owner: int
    ticks: int
    invaders: int
    contested: bool  # a defender stands in it


Fact = ShotFired | Impact | Destroyed | Contact | CaptureProgress
