"""Counts its ticks, and tells the total at its end."""

from __future__ import annotations

from typing import Any

import arenad

from . import version
from .counter_capnp import State
from .total_capnp import Total


class Counter(arenad.Game[State]):
    name = "counter"
    version = version.VERSION
    tick_hz = 60
    max_players = 2
    Results = (Total,)

    def on_tick(self, ctx: arenad.Context) -> None:
        if version.RAISES_IN_TICK:
            raise RuntimeError("this version cannot tick")
        self.state.count += 1
        if version.DOUBLES:
            self.state.doubled += 2

    def on_drain(self, ctx: arenad.Context, deadline_unix_ns: int) -> None:
        end = State(count=self.state.count, doubled=self.state.doubled)
        ctx.result(0, Total(count=self.state.count, doubled=self.state.doubled, version=version.VERSION, end=end))
        ctx.end()


if version.DOUBLES or version.REFUSES:

    def on_migrate(self: Counter, ctx: arenad.Context, old: Any, old_version: str) -> None:
        if version.REFUSES:
            raise ValueError(f"a state of version {old_version} is of no use")
        self.state.doubled = 2 * old.count

    Counter.on_migrate = on_migrate  # type: ignore[method-assign]
