"""It says what it heard, and does on request what a game must not do. Without the parameter `hz` it has no ticks."""

from __future__ import annotations

import gc
import os
import time
import types
from typing import Any

import arenad

from .echo_capnp import Arrived, Ask, AskTime, Award, Departed, Echo as EchoMessage, Finish, Grow, Misbehave, Note, Report, Say, Score, State, Time
from .misbehave import burn, leak, misbehave
from .policy import ON_EXCEPTION

SEATS = 8
MASK = 0xFFFF_FFFF_FFFF_FFFF


class Echo(arenad.Game[State]):
    name = "echo_py"
    version = "1.0"
    on_exception = ON_EXCEPTION
    tick_hz = 0
    max_players = SEATS
    max_state_bytes = 64 * 1024
    Events = (Say, Note, Grow, Ask, Award, Misbehave, AskTime, Finish)
    Results = (Score,)

    _in_tick: Misbehave | None
    _is_overloaded: bool

    def on_init(self, ctx: arenad.Context, params: arenad.Params) -> None:
        if params.get("init") == "raise":
            raise ValueError("parameter init=raise: there is no such match")
        ctx.options.tick_hz = params.number("hz", 0, 0, 128)
        self.state.last = [0] * SEATS
        self.state.end_frame = params.number("end", 0, 0, 2**32)
        self._in_tick = None
        self._is_overloaded = False

    def on_restore(self, ctx: arenad.Context) -> None:
        self._in_tick = None
        self._is_overloaded = False

    def on_join_attempt(self, ctx: arenad.Context, seat: int, name: str) -> None:
        if name == self.state.banned:
            raise arenad.Refused("you are banned")

    def on_signal(self, ctx: arenad.Context, name: str, payload: str) -> str | None:
        if name == "misbehave":
            misbehave(payload, "", False, 0)
        if name == "raise":
            raise RuntimeError("this signal fails")
        if name == "hash":
            return str(hash("a text"))
        if name == "hash-none":
            return str(hash((1, None)))
        if name == "print":
            print(payload)
            os.kill(os.getpid(), 9)  # the line is out already
        if name == "odd":  # a text that is no valid Unicode, as json.loads makes it
            ctx.log.info("logged: \ud800")
            raise arenad.Refused("refused: \ud800")
        if name == "odd-raise":
            raise RuntimeError("raised: \ud800")
        if name == "frozen":
            return str(gc.get_freeze_count())
        if name == "overload":
            self._is_overloaded = True
            return None
        if name == "spoil":
            self.state = types.SimpleNamespace(frames=0, end_frame=0)  # type: ignore[assignment]
            return None
        if name not in ("count", "ban", "kick"):
            raise arenad.Refused(f"what is {name}?")
        self.state.told += 1
        if name == "count":
            return str(self.state.told)
        if name == "ban":
            self.state.banned = payload
            return None
        return "kicked" if ctx.kick(int(payload), "an operator has said so") else "nobody is there"

    def on_join(self, ctx: arenad.Context, seat: int, name: str) -> None:
        self.state.joins += 1
        self.state.last[seat] = 0
        ctx.broadcast(Arrived(seat=seat, name=name))

    def on_leave(self, ctx: arenad.Context, seat: int, reason: int) -> None:
        if reason == 0:
            self.state.left += 1
        elif reason == 1:
            self.state.dropped += 1
        elif reason == 2:
            self.state.expelled += 1
        else:
            self.state.kicked += 1
        ctx.broadcast(Departed(seat=seat, reason=reason))

    def on_event(self, ctx: arenad.Context, seat: int, event: Any) -> None:
        state = self.state
        if isinstance(event, Say.Reader):
            state.applied += 1
            state.last[seat] = event.number
            state.sum = ((state.sum ^ event.number) * 1099511628211 + seat) & MASK
            ctx.send(EchoMessage(seat=seat, number=event.number, frame=ctx.frame), to=1 << seat)
        elif isinstance(event, Note.Reader):
            state.applied += 1 if event.text else 0
        elif isinstance(event, Grow.Reader):
            state.burden = b"g" * event.bytes
        elif isinstance(event, Ask.Reader):
            told = arenad.thaw(arenad.decode(State, arenad.encode(state)))
            told.burden = b""
            ctx.send(Report(number=event.number, state=told), to=1 << seat)
        elif isinstance(event, Award.Reader):
            ctx.result(seat, Score(seat=seat, last=state.last[seat]))
        elif isinstance(event, AskTime.Reader):
            # Not deterministic: a replay gives another time.
            ctx.send(Time(unix_ns=time.perf_counter_ns()), to=1 << seat)
        elif isinstance(event, Misbehave.Reader):
            if event.in_tick:
                self._in_tick = arenad.thaw(event)
            else:
                misbehave(event.how, event.while_file, event.once, event.ms)
        else:
            self._finish(ctx)

    def on_drain(self, ctx: arenad.Context, deadline_unix_ns: int) -> None:
        self._finish(ctx)

    def on_tick(self, ctx: arenad.Context) -> None:
        self.state.frames += 1
        if self._is_overloaded:
            burn(20)  # no time is left before the next one
            leak(2_000)
        wanted = self._in_tick
        self._in_tick = None
        if wanted is not None:
            misbehave(wanted.how, wanted.while_file, wanted.once, wanted.ms)
        if self.state.end_frame and ctx.frame >= self.state.end_frame:
            self._finish(ctx)

    def _finish(self, ctx: arenad.Context) -> None:
        for seat, last in enumerate(self.state.last):
            if last:
                ctx.result(seat, Score(seat=seat, last=last))
        ctx.end()
