"""How long Python's collector holds up a frame, with a million live objects. Its answer to a Poke of 0 is the longest time so far, in microseconds; to one of 1, how often
it has run.

A frame makes some thousands of objects, of which some are in cycles. What the collector takes of a frame is counted whole; of the time before the next tick, what it
takes beyond that.
"""

from __future__ import annotations

import gc
from typing import Any

import arenad
from arenad.determinism import machine_seconds

from .bench_capnp import Echo, Poke, State

LIVE_OBJECTS = 1_000_000
OBJECTS_A_FRAME = 3_000
CYCLES_A_FRAME = 100
TICK_HZ = 20


class Pauses:
    """Looks on at the collector."""

    def __init__(self) -> None:
        self.in_frame = False
        self.next_tick_at = float("inf")
        self.longest_seconds = 0.0
        self.collections = [0, 0, 0]
        gc.callbacks.append(self._look)

    def _look(self, phase: str, info: dict[str, int]) -> None:
        now = machine_seconds()
        if phase == "start":
            self._began = now
            return
        self.collections[info["generation"]] += 1
        took = now - self._began if self.in_frame else max(0.0, now - self.next_tick_at)
        self.longest_seconds = max(self.longest_seconds, took)


class Pair:
    __slots__ = ("other",)

    other: Pair


def make_garbage() -> list[Any]:
    for _ in range(CYCLES_A_FRAME):
        one, two = Pair(), Pair()
        one.other, two.other = two, one
    return [[number] for number in range(OBJECTS_A_FRAME)]


class Collecting(arenad.Game[State]):
    name = "bench"
    tick_hz = TICK_HZ
    max_players = 2
    Events = (Poke,)
    Outputs = (Echo,)

    _live: list[Any]
    _young: list[Any]
    _pauses: Pauses

    def on_init(self, ctx: arenad.Context, params: arenad.Params) -> None:
        self.begin()

    def begin(self) -> None:
        self._live = [[number] for number in range(LIVE_OBJECTS)]
        self._young = []
        self._pauses = Pauses()

    def on_event(self, ctx: arenad.Context, seat: int, event: Any) -> None:
        pauses = self._pauses
        ctx.broadcast(Echo(pokes=sum(pauses.collections) if event.value else int(pauses.longest_seconds * 1e6)))

    def on_tick(self, ctx: arenad.Context) -> None:
        pauses = self._pauses
        pauses.in_frame = True
        pauses.next_tick_at = machine_seconds() + 1 / TICK_HZ
        # Some of what a frame makes lives for some seconds.
        self._young.append(make_garbage()[::10])
        if len(self._young) > 5 * TICK_HZ:
            del self._young[0]
        pauses.in_frame = False
