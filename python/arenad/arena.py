"""One arena: its game, its context, and the order in which a frame goes through them. The host in C++ (python/host/) and the desk (desk.py) call it alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from . import determinism
from .collector import Collector
from .context import Context, Host, Options
from .game import Game, Params


class Arena:
    """The host calls begin_frame() first in each frame, then what comes in it."""

    def __init__(self, host: Host, game_class: type[Game[Any]]) -> None:
        self.ctx = Context(host, Options(game_class.tick_hz, game_class.max_players))
        self.ctx.random = determinism.frame_random()
        self.game = game_class()
        self.game.state = game_class.State()
        self.collector = Collector(self.ctx.log, host.garbage_put_off)
        # What is called for each event and each frame is looked up once.
        self.on_event = partial(self.game.on_event, self.ctx)
        self.on_tick = partial(self.game.on_tick, self.ctx)
        self.on_join_attempt = partial(self.game.on_join_attempt, self.ctx)
        self.on_join = partial(self.game.on_join, self.ctx)
        self.on_leave = partial(self.game.on_leave, self.ctx)
        self.on_drain = partial(self.game.on_drain, self.ctx)
        self.idle = self.collector.idle

    def begin_frame(self, number: int, time_unix_ns: int, seed: int, dt_ns: int) -> None:
        ctx = self.ctx
        ctx.frame = number
        ctx.time_unix_ns = time_unix_ns
        ctx.dt = dt_ns * 1e-9
        determinism.begin_frame(time_unix_ns, seed)

    def init(self, params: Mapping[str, str]) -> tuple[int, int]:
        """Ticks a second and seats."""
        self.game.on_init(self.ctx, Params(params))
        options = self.ctx.options
        self._begin()
        return options.tick_hz, options.max_players

    def restore(self, state: Any) -> None:
        self.game.state = state
        self.game.on_restore(self.ctx)
        self._begin()

    def migrate(self, old: Any, state: Any, old_version: str) -> None:
        """old is a Reader of the state, state what can be changed of it."""
        self.game.state = state
        self.game.on_migrate(self.ctx, old, old_version)
        self._begin()

    def _begin(self) -> None:
        # A successor would find the class's: what on_init has chosen is no part of the state.
        if hasattr(self.ctx, "options"):  # a rehearsal restores again and again
            del self.ctx.options
        self.collector.begin()

    def signal(self, name: str, payload: str) -> str:
        reply = self.game.on_signal(self.ctx, name, payload)
        if reply is None:
            return ""
        if not isinstance(reply, str):
            raise TypeError(f"on_signal has replied {reply!r}: it may be a str, or None")
        return reply

    def diverged(self, frame: int) -> None:
        """Tells what may be the cause."""
        suspects = determinism.suspects()
        if not suspects:
            self.ctx.log.warning(
                f"frame {frame} gave other outputs when it was run again, and the game has asked nothing of the machine that is known not to be a function of the "
                "frame: look for what depends on addresses (id(), sets of objects), files, or on attributes that on_restore does not make anew"
            )
            return
        self.ctx.log.warning(f"frame {frame} gave other outputs when it was run again; not a function of the frame: " + "; ".join(suspects[:20]))
