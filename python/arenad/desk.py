"""Plays a game in plain Python, without a daemon: for tests, and under a debugger.

    from arenad.desk import Desk

    desk = Desk(Duel, params={"seconds": "10"}, seed=1)
    desk.join(0, "anna")
    desk.event(0, Aim(x=3, y=4))
    desk.tick(20)
    desk.restore()              # as after a crash: a new game object goes on from the saved state
    assert desk.results

What goes in and comes out is encoded and read again as between a client and a worker, so what would not fit a message fails here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import _arenad

from . import determinism
from .arena import Arena
from .game import Game

determinism.install()

_START_UNIX_NS = 1_700_000_000_000_000_000
_KICKED = 3
_LEVELS = ("debug", "info", "warning", "error")


class Desk:
    """One arena. The same seed, parameters and calls give the same match."""

    def __init__(self, game: type[Game[Any]], params: Mapping[str, str] | None = None, seed: int = 1) -> None:
        self._game_class = game
        self._seeds = determinism.FrameRandom(seed)
        self._frame = 0
        self._begun = False
        self._present: set[int] = set()
        self._out: set[int] = set()  # seats whose player was kicked
        self._leaving: list[int] = []
        self.kicked: list[tuple[int, str]] = []
        """(seat, reason) of whom the game has kicked."""
        self.ended = False
        """Whether the game has called ctx.end()."""
        self.outputs: list[tuple[int, Any]] = []
        """(seats, one bit each; the message as a Reader) of each output since the last clear()."""
        self.results: list[tuple[int, Any]] = []
        """(seat, the message as a Reader) of each result."""
        self.logged: list[tuple[str, str]] = []
        """(level, text) of each line."""
        self._arena = Arena(self, game)
        self._tell_frame()
        self.tick_hz, self.max_players = self._arena.init(dict(params or {}))

    @property
    def game(self) -> Game[Any]:
        return self._arena.game

    @property
    def state(self) -> Any:
        return self._arena.game.state

    @property
    def frame(self) -> int:
        """The newest frame; 0 before the first tick."""
        return self._frame

    def join(self, seat: int, name: str) -> None:
        """arenad.Refused if the game does not let this player in."""
        self._begin()
        if seat in self._leaving:
            self.leave(seat, _KICKED)  # before anybody else has the seat
        self._arena.on_join_attempt(seat, name)
        self._present.add(seat)
        self._out.discard(seat)
        self._arena.on_join(seat, name)

    def leave(self, seat: int, reason: int = 0) -> None:
        self._begin()
        self._present.discard(seat)
        if seat in self._leaving:
            self._leaving.remove(seat)  # it leaves once
        self._arena.on_leave(seat, reason)

    def signal(self, name: str, payload: str = "") -> str:
        """What `arenactl tell` would be answered; arenad.Refused if the game does not do it."""
        self._begin()
        return self._arena.signal(name, payload)

    def event(self, seat: int, message: Any) -> None:
        """message: an object of a class in the game's Events. Of a player who was kicked in an earlier frame nothing comes any more."""
        if type(message) not in self._game_class.Events:
            raise TypeError(f"{type(message).__name__} is no event of {self._game_class.__name__}: Events lists them")
        self._begin()
        if seat in self._out:
            return
        self._arena.on_event(seat, _arenad.decode(type(message), _arenad.encode(message)))

    def drain(self, deadline_unix_ns: int) -> None:
        self._begin()
        self._arena.on_drain(deadline_unix_ns)

    def tick(self, count: int = 1) -> None:
        """Ends this many frames. What was joined or sent since the last one is in the first of them."""
        for _ in range(count):
            if self.ended:
                return
            self._begin()
            self._arena.on_tick()
            self._begun = False

    def save(self) -> bytes:
        """The state as it would survive a crash now. ValueError if it is larger than the game says that it can be."""
        data: bytes = _arenad.encode(self.state)
        limit = self._game_class.max_state_bytes
        if len(data) > limit:
            raise ValueError(f"the state has {len(data)} bytes, more than max_state_bytes of {self._game_class.__name__}, {limit}")
        return data

    def restore(self, state: bytes | None = None) -> None:
        """Goes on in a new game object, from this state or from the present one."""
        saved = self.save() if state is None else state
        self._arena = Arena(self, self._game_class)
        self._tell_frame()
        self._arena.restore(_arenad.thaw(_arenad.decode(self._game_class.State, saved)))

    def clear(self) -> None:
        """Forgets the outputs and lines so far."""
        self.outputs.clear()
        self.logged.clear()

    def of(self, message_type: type[Any]) -> list[Any]:
        """The outputs of one class."""
        return [message for _, message in self.outputs if isinstance(message, message_type.Reader)]

    # ---- arenad.context.Host -----------------------------------------------------------------------------------------

    def send(self, message: Any, seats: int) -> bool:
        if seats:
            self.outputs.append((seats, _arenad.decode(type(message), _arenad.encode(message))))
        return True

    def result(self, seat: int, message: Any) -> bool:
        self.results.append((seat, _arenad.decode(type(message), _arenad.encode(message))))
        return True

    def kick(self, seat: int, reason: str) -> bool:
        if seat not in self._present:
            return False
        self._present.discard(seat)
        self._leaving.append(seat)
        self.kicked.append((seat, reason))
        return True

    def garbage_put_off(self) -> None:
        pass  # nobody has other arenas to fear for

    def end(self) -> None:
        self.ended = True

    def log(self, level: int, text: str) -> None:
        self.logged.append((_LEVELS[level], text))

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        self._frame += 1
        self._seed = self._seeds.next()
        self._tell_frame()
        leaving, self._leaving = self._leaving, []
        for seat in leaving:
            self._out.add(seat)
            self._arena.on_leave(seat, _KICKED)

    def _tell_frame(self) -> None:
        tick_hz = getattr(self, "tick_hz", self._game_class.tick_hz)
        dt_ns = 1_000_000_000 // tick_hz if tick_hz else 0
        seed = self._seeds.next() if self._frame == 0 else self._seed
        self._arena.begin_frame(self._frame, _START_UNIX_NS + self._frame * dt_ns, seed, dt_ns)
