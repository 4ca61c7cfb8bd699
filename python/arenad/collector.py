"""When Python's cycle collector runs: never in a frame, but in the time that is left before the next tick, and only as much as fits in.

    young objects enough, and the collection is expected to fit    collected, with those that have survived one collection every tenth time
    many have survived since the last whole collection             a whole one, if it is expected to fit
    it has never fit for long                                      what has survived is set aside (gc.freeze): it is not looked at any more, so collections stay short
    young objects beyond a bound                                   an alarm, and they are set aside

Reference counts free nearly everything without any of this. What the collector has to find is cycles; they are counted, and every tenth time their types are, so
that the game can be mended. Set aside are only what lives long and what leaked: a handover (`arenactl reload`, `arenactl restart`) makes the arena anew without the
latter.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from typing import Any

from .context import Log
from .determinism import machine_seconds

YOUNG_ENOUGH = 2_000
"""Objects made and not freed since the last collection, from which one is worth its while."""
YOUNG_BOUND = 200_000
"""At this number they are set aside, collected or not, and it is told."""
OLDER_EVERY = 10
WHOLE_FROM = 20_000
"""Survivors since the last whole collection."""
WHOLE_PATIENCE = 200
"""How many idle times a whole collection waits for one that is long enough."""
SHARE_OF_IDLE = 0.5
"""A collection is begun if it is expected to take no more than this share of the time that is left."""
SECONDS_FOR_AN_OBJECT = 200e-9
"""Before anything was measured."""
TELL_EVERY_SECONDS = 60.0
LOOKED_AT = 1_000
"""Of what is set aside so many are looked at for their types."""


class Collector:
    """idle() is called once after each frame."""

    def __init__(self, log: Log, alarm: Callable[[], None]) -> None:
        """alarm: the bound was reached."""
        self._log = log
        self._alarm = alarm
        self._seconds_for_an_object = SECONDS_FOR_AN_OBJECT
        self._collections = 0
        self._since_older = 0
        self._survivors = 0  # since the last whole collection, at most
        self._waited = 0
        self.set_aside = 0
        self.cyclic = 0
        self.put_off = 0
        self.longest_seconds = 0.0
        self._types: Counter[str] = Counter()
        self._told_at = machine_seconds()
        self._told_cyclic = 0
        self._told_put_off = 0

    def begin(self) -> None:
        """What the arena begins with lives as long as it does."""
        gc.disable()
        self._freeze()

    def idle(self, seconds_left: float) -> None:
        young = gc.get_count()[0]
        if young >= YOUNG_ENOUGH:
            self._collect_young(young, seconds_left)
        elif self._survivors >= WHOLE_FROM:
            self._collect_whole(seconds_left)
        if self.cyclic != self._told_cyclic or self.put_off != self._told_put_off:
            self._tell()

    def _fits(self, objects: int, seconds_left: float) -> bool:
        return objects * self._seconds_for_an_object <= seconds_left * SHARE_OF_IDLE

    def _collect_young(self, young: int, seconds_left: float) -> None:
        if not self._fits(young, seconds_left):
            self._forget_a_little()
            if young >= YOUNG_BOUND:
                self.put_off += 1
                self._alarm()
                self._set_aside(young)
            return
        self._collections += 1
        self._since_older += 1
        # Older ones that do not fit now stay due, and hold up no younger ones.
        with_older = self._since_older >= OLDER_EVERY and self._fits(young + self._survivors, seconds_left)
        if with_older:
            self._since_older = 0
        found = self._collect(1 if with_older else 0, young + (self._survivors if with_older else 0))
        self._survivors += max(0, young - found)

    def _forget_a_little(self) -> None:
        """One slow moment of the machine must not put collections off for ever."""
        self._seconds_for_an_object *= 0.98

    def _collect_whole(self, seconds_left: float) -> None:
        if self._fits(self._survivors, seconds_left):
            self._collect(2, self._survivors)
            self._survivors = 0
            self._waited = 0
            return
        self._forget_a_little()
        self._waited += 1
        if self._waited >= WHOLE_PATIENCE:
            self._set_aside(self._survivors)

    def _collect(self, generation: int, objects: int) -> int:
        names_types = self._collections % OLDER_EVERY == 1  # the first one too
        began = machine_seconds()
        found = self._collect_and_name(generation) if names_types else gc.collect(generation)
        took = machine_seconds() - began
        self.cyclic += found
        self.longest_seconds = max(self.longest_seconds, took)
        measured = took / max(objects, 1)
        # Quick to learn that it is slow, slow to forget it.
        self._seconds_for_an_object = max(measured, self._seconds_for_an_object * 0.95 + measured * 0.05)
        return found

    def _collect_and_name(self, generation: int) -> int:
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            gc.collect(generation)
        finally:
            gc.set_debug(0)
        garbage: list[Any] = gc.garbage[:]
        gc.garbage.clear()
        found = len(garbage)
        if found:
            self._types.update(f"{type(one).__module__}.{type(one).__qualname__}" for one in garbage)
            del garbage
            gc.collect(min(generation + 1, 2))  # they have grown older meanwhile
        return found

    def _freeze(self) -> None:
        gc.freeze()
        gc.collect(0)  # of nothing: the count begins anew

    def _set_aside(self, objects: int) -> None:
        # A few of them: to look at all would take the time that there is not.
        self._types.update(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects(generation=0)[-LOOKED_AT:])
        self._freeze()
        self.set_aside += objects
        self._survivors = 0
        self._waited = 0

    def _tell(self) -> None:
        now = machine_seconds()
        if now - self._told_at < TELL_EVERY_SECONDS:
            return
        self._told_at = now
        named = ", ".join(f"{count} {name}" for name, count in self._types.most_common(5))
        looked_at = f"; of those that were looked at: {named}" if named else ""
        self._types.clear()
        if self.put_off != self._told_put_off:
            self._log.warning(
                f"collecting garbage is put off: there was no time for it between frames. {self.set_aside} objects are set aside and not looked at any more; "
                f"if memory grows, a restart or reload of the arena frees what they hold{looked_at}"
            )
            self._told_put_off = self.put_off
        if self.cyclic != self._told_cyclic:
            self._log.info(f"the collector has found {self.cyclic - self._told_cyclic} objects in cycles, which nothing else frees{looked_at}")
            self._told_cyclic = self.cyclic
