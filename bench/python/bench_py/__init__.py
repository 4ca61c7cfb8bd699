"""The bench game (bench/bench_game.cc) in Python: 64 KiB of state, and events that each change a part of it and are answered."""

from __future__ import annotations

from typing import Any

import arenad

from .bench_capnp import Ballast, Echo, Poke, Say
from .body_capnp import State

BODY_WORDS = 8192
MASK = 0xFFFF_FFFF_FFFF_FFFF
HEAVY_SUM = 25_000_000


class Bench(arenad.Game[State]):
    name = "bench"
    tick_hz = 0
    max_players = 2
    max_state_bytes = 8 * BODY_WORDS + 1024
    Events = (Poke, Ballast, Say)
    Outputs = (Echo,)

    def on_init(self, ctx: arenad.Context, params: arenad.Params) -> None:
        self.state.body = [0] * BODY_WORDS

    def on_event(self, ctx: arenad.Context, seat: int, event: Any) -> None:
        state = self.state
        if isinstance(event, Poke.Reader):
            value = event.value
            at = value % BODY_WORDS
            state.body[at] = (state.body[at] * 6364136223846793005 + value) & MASK
            state.pokes += 1
            ctx.broadcast(Echo(pokes=state.pokes))
        elif isinstance(event, Say.Reader):
            # One call that is not Python, and keeps the interpreter's lock.
            sum(range(HEAVY_SUM))

    def on_tick(self, ctx: arenad.Context) -> None:
        pass
