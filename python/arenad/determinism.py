"""Makes what a game asks the machine for a function of the frame, so that a frame that is run again gives the same.

    from the frame     time.time, time_ns, monotonic, monotonic_ns, localtime, gmtime, ctime, asctime, strftime; datetime.now, utcnow, today; random, also what a
                       random.Random() without a seed begins with; uuid.uuid1, uuid4; os.urandom, os.getrandom, and with them secrets
    fixed              hashes of texts, and with them the order of sets of texts (PYTHONHASHSEED, set by the host and by arenad-python); in arenas that of None, too
    noted              perf_counter, process_time, thread_time, clock_gettime: they are the machine's, for measuring; who has asked is named if a frame is found to have
                       given other outputs when it was run again

What depends on addresses (id(), the order of a set of objects that hash by theirs) is nobody's to fix: sort by something else.
"""

from __future__ import annotations

import abc
import datetime
import os
import random
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

machine_seconds = time.perf_counter
"""For measuring, whatever has been put in its place since."""

_MASK = 0xFFFF_FFFF_FFFF_FFFF


class FrameRandom(random.Random):
    """SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014), as in games in C++."""

    _state: int

    def __new__(cls, seed: int = 0) -> FrameRandom:
        return super().__new__(cls)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK
        self.gauss_next = None

    def seed(self, a: Any = None, version: int = 2) -> None:
        """The frame's again, without one; else that one's, until the frame is over."""
        if a is None:
            self._state = _now.seed
        elif isinstance(a, int):
            self._state = a & _MASK
        elif isinstance(a, (float, str, bytes, bytearray)):
            self._state = hash(bytes(a) if isinstance(a, bytearray) else a) & _MASK
        else:
            raise TypeError(f"the seed may be None, an int, float, str, bytes or bytearray, and not {a!r}")
        self.gauss_next = None

    def next(self) -> int:
        """64 random bits."""
        self._state = z = (self._state + 0x9E37_79B9_7F4A_7C15) & _MASK
        z = ((z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9) & _MASK
        z = ((z ^ z >> 27) * 0x94D0_49BB_1331_11EB) & _MASK
        return z ^ z >> 31

    def below(self, bound: int) -> int:
        """0 <= result < bound, as games in C++ draw it; bound <= 2**64."""
        return self.next() * bound >> 64

    def random(self) -> float:
        return (self.next() >> 11) * 2.0**-53

    def getrandbits(self, k: int) -> int:
        if k < 0:
            raise ValueError("number of bits must not be negative")
        bits = 0
        for _ in range(0, k, 64):
            bits = bits << 64 | self.next()
        return bits >> -k % 64

    def getstate(self) -> Any:
        return (self._state, self.gauss_next)

    def setstate(self, state: Any) -> None:
        self._state, self.gauss_next = state


class _Frame:
    """The frame that runs."""

    __slots__ = ("time_unix_ns", "seed", "random")

    def __init__(self) -> None:
        self.time_unix_ns = 0
        self.seed = 0
        self.random = FrameRandom(0)


_now = _Frame()
_asked: dict[tuple[str, str], int] = {}
_installed = False


def begin_frame(time_unix_ns: int, seed: int) -> None:
    """From here on it is this frame's time and these dice."""
    _now.time_unix_ns = time_unix_ns
    _now.seed = seed
    _now.random._state = seed
    _now.random.gauss_next = None


def frame_random() -> FrameRandom:
    """The one that is seeded by each frame."""
    return _now.random


def suspects() -> list[str]:
    """Who has asked for what is not a function of the frame: "time.perf_counter at battle.py:31, 204 times"."""
    return [f"{what} at {where}, {count} times" for (what, where), count in sorted(_asked.items(), key=lambda one: -one[1])]


def _urandom(size: int) -> bytes:
    return _now.random.getrandbits(8 * size).to_bytes(size, "big") if size > 0 else b""


_Date = datetime.date
_Datetime = datetime.datetime


class _OfDates(abc.ABCMeta):
    """What was a date is one: also those that arithmetic and C code make. Of classes that a game derives, only their own are. It is ABCMeta's, so that
    one may be derived from a date and from abc.ABC."""

    def __instancecheck__(cls, one: object) -> bool:
        real = _real_dates.get(cls)
        return isinstance(one, real) if real is not None else super().__instancecheck__(one)

    def __subclasscheck__(cls, one: type) -> bool:
        real = _real_dates.get(cls)
        return issubclass(one, real) if real is not None else super().__subclasscheck__(one)


class _FrameDatetime(datetime.datetime, metaclass=_OfDates):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _FrameDatetime:
        return cls.fromtimestamp(_now.time_unix_ns / 1e9, tz)

    @classmethod
    def utcnow(cls) -> _FrameDatetime:
        return cls.utcfromtimestamp(_now.time_unix_ns / 1e9)

    @classmethod
    def today(cls) -> _FrameDatetime:
        return cls.now()


class _FrameDate(datetime.date, metaclass=_OfDates):
    @classmethod
    def today(cls) -> _FrameDate:
        return cls.fromtimestamp(_now.time_unix_ns / 1e9)


_real_dates: dict[type, type] = {_FrameDatetime: _Datetime, _FrameDate: _Date}


def _put(module: Any, name: str, function: Callable[..., Any]) -> None:
    """Like what was there before it, it becomes no method when a class has it as an attribute."""
    setattr(module, name, staticmethod(function))


def _noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*arguments: Any) -> Any:
        caller = sys._getframe(1)
        site = (name, f"{os.path.basename(caller.f_code.co_filename)}:{caller.f_lineno}")
        if len(_asked) < 1000 or site in _asked:
            _asked[site] = _asked.get(site, 0) + 1
        return call(*arguments)

    asked.__name__ = name
    return asked


def _at_the_frame(call: Callable[..., Any]) -> Callable[..., Any]:
    """Of the functions that take the present time where they are given none."""

    def asked(seconds: float | None = None) -> Any:
        return call(_now.time_unix_ns / 1e9 if seconds is None else seconds)

    asked.__name__ = call.__name__
    return asked


def _seed_from_the_frame(of: random.Random, a: Any = None, version: int = 2) -> None:
    _random_seed(of, _now.random.getrandbits(64) if a is None else a, version)


_random_seed = random.Random.seed
_asctime, _localtime, _strftime = time.asctime, time.localtime, time.strftime


def _local_now() -> time.struct_time:
    return _localtime(_now.time_unix_ns / 1e9)


def install() -> None:
    """Before the game is imported: it may say `from time import time`. A second time it does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    for name in ("time", "monotonic"):
        _put(time, name, lambda: _now.time_unix_ns / 1e9)
        _put(time, name + "_ns", lambda: _now.time_unix_ns)
    for name in ("localtime", "gmtime", "ctime"):
        _put(time, name, _at_the_frame(getattr(time, name)))
    _put(time, "asctime", lambda at=None: _asctime(_local_now() if at is None else at))
    _put(time, "strftime", lambda form, at=None: _strftime(form, _local_now() if at is None else at))
    for name in ("perf_counter", "process_time", "thread_time", "clock_gettime"):
        for of in (name, name + "_ns"):
            _put(time, of, _noted("time." + of, getattr(time, of)))
    setattr(random.Random, "seed", _seed_from_the_frame)
    datetime.datetime = _FrameDatetime  # type: ignore[misc]
    datetime.date = _FrameDate  # type: ignore[misc]
    _put(os, "urandom", _urandom)
    _put(os, "getrandom", lambda size, flags=0: _urandom(size))
    random._urandom = _urandom  # type: ignore[attr-defined]
    uuid.uuid4 = lambda: uuid.UUID(int=_now.random.getrandbits(128), version=4)
    uuid.uuid1 = lambda node=None, clock_seq=None: uuid.UUID(int=_now.random.getrandbits(128), version=1)
    for name in random.__all__:
        if name not in ("Random", "SystemRandom"):
            setattr(random, name, getattr(_now.random, name))
    random._inst = _now.random
