"""What a worker plays before it is told which arena it is (python/host/rehearsal.h)."""

from __future__ import annotations

from typing import Any

from .context import Context
from .game import Game, Params


class Rehearsal(Game[Any]):
    """Does what games do, with the types of the real one."""

    name = "rehearsal"

    def on_init(self, ctx: Context, params: Params) -> None:
        params.number("seconds", 1, 1, 2)

    def on_event(self, ctx: Context, seat: int, event: Any) -> None:
        isinstance(event, type(event))
        ctx.random.below(10)

    def on_tick(self, ctx: Context) -> None:
        table = {number: str(number) for number in range(64)}
        values = sorted(table.values(), key=len)
        total = sum(number * 0.5 for number in range(64))
        ctx.log.debug(f"{len(values)} {total:.1f}")
        for seats in (1, ctx.frame):
            for made in self.Outputs:
                ctx.send(made(), to=seats)
        ctx.random.random()


def stand_in(game: type[Game[Any]]) -> type[Game[Any]]:
    """A game of these types, and nothing else of it."""
    return type("StandIn", (Rehearsal,), {"State": game.State, "Events": game.Events, "Outputs": game.Outputs, "tick_hz": game.tick_hz})
