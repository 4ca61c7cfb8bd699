"""When Python's cycle collector runs: never in a frame, but in the time that is left before the next tick, and only as much as fits in.

    young objects enough, and the collection is expected to fit    collected, with those that have survived one collection every tenth time
    many have survived since the last whole collection             a whole one, of all that is not set aside, if it is expected to fit
    it has never fit for long                                      an alarm, and what has survived is set aside (gc.freeze): it is not looked at any more, so collections stay short
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
AT_LEAST_SECONDS_FOR_AN_OBJECT = 20e-9
"""The same: it is not expected to be quicker."""
FORGOTTEN = 0.02
"""Of the price, each time that a collection does not fit: so one slow moment of the machine does not put them off for ever."""
WHOLE = 2
TELL_EVERY_SECONDS = 60.0
LOOKED_AT = 1_000
"""Of what is set aside so many are looked at for their types."""


class _Price:
    """What a collection is expected to take: quick to learn that it is slow, slow to forget it, and never below what it has taken at the least."""

    def __init__(self) -> None:
        self.seconds_for_an_object = SECONDS_FOR_AN_OBJECT
        self._least: float | None = None

    def fits(self, objects: int, seconds_left: float) -> bool:
        return objects * self.seconds_for_an_object <= seconds_left * SHARE_OF_IDLE

    def learn(self, objects: int, took: float) -> None:
        measured = took / max(objects, 1)
        self._least = measured if self._least is None else min(self._least, measured)
        self.seconds_for_an_object = max(measured, self.seconds_for_an_object * 0.95 + measured * 0.05)

    def forget_a_little(self) -> None:
        least = AT_LEAST_SECONDS_FOR_AN_OBJECT if self._least is None else self._least
        self.seconds_for_an_object = max(least, self.seconds_for_an_object * (1 - FORGOTTEN))


class Collector:
    """idle() is called once after each frame."""

    def __init__(self, log: Log, alarm: Callable[[], None]) -> None:
        """alarm: the bound was reached."""
        self._log = log
        self._alarm = alarm
        self._young_price = _Price()
        self._whole_price = _Price()
        self._since_older = 0
        # Objects that are not set aside, at most: those that have survived one collection, and those that have survived two.
        self._middle = 0
        self._old = 0
        self._kept = 0  # of the old ones: they have survived a whole collection
        self._waited = 0
        self._unnamed = [OLDER_EVERY - 2] * 3  # collections of each generation since types were named; the second one is to name them
        self.set_aside = 0
        self.cyclic = 0
        self.put_off = 0
        self.longest_seconds = 0.0
        self._types_found: Counter[str] = Counter()
        self._types_set_aside: Counter[str] = Counter()
        self._told_at = machine_seconds()
        self._told_cyclic = 0
        self._told_put_off = 0

    def begin(self) -> None:
        """What the arena begins with lives as long as it does."""
        gc.disable()
        self._freeze()

    def idle(self, seconds_left: float) -> None:
        end = machine_seconds() + seconds_left
        young = gc.get_count()[0]
        if young >= YOUNG_ENOUGH:
            self._collect_young(young, seconds_left)
        if self._middle + self._old - self._kept >= WHOLE_FROM:
            self._collect_whole(end - machine_seconds())
        if self.cyclic != self._told_cyclic or self.put_off != self._told_put_off:
            self._tell()

    def _collect_young(self, young: int, seconds_left: float) -> None:
        if not self._young_price.fits(young, seconds_left):
            self._young_price.forget_a_little()
            if young >= YOUNG_BOUND:
                self._put_off()
            return
        self._since_older += 1
        # Older ones that do not fit now stay due, and hold up no younger ones.
        with_older = self._since_older >= OLDER_EVERY and self._young_price.fits(young + self._middle, seconds_left)
        if with_older:
            self._since_older = 0
        self._collect(1 if with_older else 0, seconds_left)

    def _collect_whole(self, seconds_left: float) -> None:
        if self._whole_price.fits(self._looked_at_by(WHOLE), seconds_left):
            self._collect(WHOLE, seconds_left)
            self._kept = self._old
            self._waited = 0
            return
        self._whole_price.forget_a_little()
        self._waited += 1
        if self._waited >= WHOLE_PATIENCE:
            self._put_off()

    def _looked_at_by(self, generation: int) -> int:
        """Objects."""
        return gc.get_count()[0] + (self._middle if generation >= 1 else 0) + (self._old if generation == WHOLE else 0)

    def _price_of(self, generation: int) -> _Price:
        return self._whole_price if generation == WHOLE else self._young_price

    def _collect(self, generation: int, seconds_left: float) -> None:
        objects = self._looked_at_by(generation)
        names_types = self._names_types(generation, objects, seconds_left)
        began = machine_seconds()
        found = self._collect_and_name(generation) if names_types else gc.collect(generation)
        took = machine_seconds() - began
        self.cyclic += found
        self.longest_seconds = max(self.longest_seconds, took)
        if not names_types:  # that is more than a collection
            self._price_of(generation).learn(objects, took)
        left = max(0, objects - found)
        if generation == 0:
            self._middle += left
        else:
            self._middle = 0
            self._old = left if generation == WHOLE else self._old + left

    def _names_types(self, generation: int, objects: int, seconds_left: float) -> bool:
        """Naming takes a second collection, of the next generation: when that one fits too."""
        self._unnamed[generation] += 1
        following = min(generation + 1, WHOLE)
        seconds = objects * self._price_of(generation).seconds_for_an_object
        if self._unnamed[generation] < OLDER_EVERY or not self._price_of(following).fits(self._looked_at_by(following), seconds_left - seconds / SHARE_OF_IDLE):
            return False
        self._unnamed[generation] = 0
        return True

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
            self._types_found.update(_name_of(one) for one in garbage)
            del garbage
            gc.collect(min(generation + 1, WHOLE))  # they have grown older meanwhile
        return found

    def _freeze(self) -> None:
        gc.freeze()
        gc.collect(0)  # of nothing: the count begins anew
        self._middle = self._old = self._kept = self._waited = 0

    def _put_off(self) -> None:
        """There was no time: nothing of what is there now is looked at any more."""
        self.put_off += 1
        self._alarm()
        self.set_aside += self._looked_at_by(WHOLE)
        # A few of them, the newest: to look at all would take the time that there is not.
        newest = gc.get_objects(generation=0) or gc.get_objects(generation=1) or gc.get_objects(generation=WHOLE)
        self._types_set_aside.update(_name_of(one) for one in newest[-LOOKED_AT:])
        self._freeze()

    def _tell(self) -> None:
        now = machine_seconds()
        if now - self._told_at < TELL_EVERY_SECONDS:
            return
        self._told_at = now
        if self.put_off != self._told_put_off:
            self._log.warning(
                f"collecting garbage is put off: there was no time for it between frames. {self.set_aside} objects are set aside and not looked at any more, with what is garbage among them; "
                f"if memory grows, a restart or reload of the arena frees what they hold{_named(self._types_set_aside, 'of the newest')}"
            )
            self._types_set_aside.clear()
            self._told_put_off = self.put_off
        if self.cyclic != self._told_cyclic:
            self._log.info(
                f"the collector has found {self.cyclic - self._told_cyclic} objects in cycles, which nothing else frees{_named(self._types_found, 'of those that were looked at')}"
            )
            self._types_found.clear()
            self._told_cyclic = self.cyclic


def _name_of(one: Any) -> str:
    return f"{type(one).__module__}.{type(one).__qualname__}"


def _named(types: Counter[str], which: str) -> str:
    named = ", ".join(f"{count} {name}" for name, count in types.most_common(5))
    return f"; {which}: {named}" if named else ""
