"""The frame that runs now, and what a game may do in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from .determinism import FrameRandom

EVERYONE = 0xFFFF_FFFF_FFFF_FFFF
"""All seats. Observers get every output, whoever it is for."""


def seat_mask(seats: Iterable[int]) -> int:
    """One bit for each seat, as `to` of Context.send takes it."""
    mask = 0
    for seat in seats:
        mask |= 1 << seat
    return mask


class Host(Protocol):
    """What carries a game: a worker, or the desk."""

    def send(self, message: Any, seats: int) -> bool: ...
    def result(self, seat: int, message: Any) -> bool: ...
    def kick(self, seat: int, reason: str) -> bool: ...
    def garbage_put_off(self) -> None: ...
    def end(self) -> None: ...
    def log(self, level: int, text: str) -> None: ...


class Log:
    """The arena's log (`arenactl logs`); each line has the arena and the frame."""

    def __init__(self, host: Host) -> None:
        self._log = host.log

    def debug(self, text: str) -> None:
        self._log(0, text)

    def info(self, text: str) -> None:
        self._log(1, text)

    def warning(self, text: str) -> None:
        self._log(2, text)

    def error(self, text: str) -> None:
        self._log(3, text)


@dataclass
class Options:
    """What on_init may change for this one arena."""

    tick_hz: int
    max_players: int


class Context:
    """Valid within callbacks. Time and randomness are the frame's: a frame that is run again finds the same."""

    __slots__ = ("frame", "time_unix_ns", "dt", "options", "random", "log", "_host")

    frame: int
    time_unix_ns: int
    dt: float
    """Of a tick, in seconds; 0 for a game without ticks."""
    options: Options
    """In on_init alone, which may change it: what is needed later belongs into the state."""
    random: FrameRandom
    """A random.Random that begins anew with each frame's seed. The functions of the module random are the same one's."""
    log: Log

    def __init__(self, host: Host, options: Options) -> None:
        self._host = host
        self.frame = 0
        self.time_unix_ns = 0
        self.dt = 0.0
        self.options = options
        self.random = FrameRandom(0)
        self.log = Log(host)

    def send(self, message: Any, to: int = EVERYONE) -> bool:
        """An output for these seats, one bit each (~(1 << seat): all but this one); for none it is not sent. False if the outputs of this frame do not fit in the ring."""
        return self._host.send(message, to & EVERYONE)

    def broadcast(self, message: Any) -> bool:
        """An output for everyone."""
        return self._host.send(message, EVERYONE)

    def result(self, seat: int, message: Any) -> bool:
        """Records a result for a seat: stored durably, exactly once. False if it is too large."""
        return self._host.result(seat, message)

    def kick(self, seat: int, reason: str) -> bool:
        """Takes the seat from its player, who is told the reason. From the next frame on nothing more of that player is applied; in that frame
        on_leave is called for reason 3. False if nobody has the seat."""
        return self._host.kick(seat, reason)

    def end(self) -> None:
        """The arena ends after this frame; nothing that comes later is applied."""
        self._host.end()
