"""The class that a game derives from, and what it is given to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from .context import Context


class Params(Mapping[str, str]):
    """The parameters of `arenactl start --param key=value`."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = dict(given)

    def __getitem__(self, key: str) -> str:
        return self._given[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def number(self, key: str, otherwise: int, low: int, high: int) -> int:
        """A whole number from low to high; ValueError, which refuses the start, if it is none."""
        given = self._given.get(key)
        if given is None:
            return otherwise
        try:
            value = int(given)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"parameter {key}={given}: expected a number from {low} to {high}")
        return value


S = TypeVar("S")


class Refused(Exception):
    """Raised by on_join_attempt: this player does not get in; by on_signal: it is not done. Nothing may have been changed before. The text is told to the
    player, or to who has sent the signal."""


class Game(Generic[S]):
    """One arena's game: `class Duel(arenad.Game[State])`, where State is a class of the schema. Only on_tick is needed.

    What must survive a crash is in self.state, an object of that class; it is saved and restored whole. Other attributes are
    declared in the class's body (`_map: Map`), are made anew in on_restore, and may hold nothing that does not follow from the state. Any other one is an error:
    it would be gone after a crash.

    Within a frame joins, events and leaves come first, in the order in which they were decided, then what the game is told by a signal, and the tick last. An exception from on_init refuses the
    parameters, from on_restore the state. From any other callback it ends the worker, and the arena is recovered as it was before the frame; what on_exception
    says is for on_event.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1.0"
    tick_hz: ClassVar[int] = 20
    max_players: ClassVar[int] = 64
    max_state_bytes: ClassVar[int] = 256 * 1024
    max_frame_output_bytes: ClassVar[int] = 64 * 1024
    on_exception: ClassVar[str] = "recover"
    """What an exception in on_event does. "recover": the event is tried again, and left out when it has failed twice. "quarantine": it is left out at once."""

    State: ClassVar[type[Any]]
    """The class of self.state: what stands in the brackets."""
    Events: ClassVar[tuple[type[Any], ...]] = ()
    """What on_event takes. Anything else is rejected, and its sender told."""
    Outputs: ClassVar[tuple[type[Any], ...]] = ()
    """What is sent: for tools, and for who reads the game."""
    Results: ClassVar[tuple[type[Any], ...]] = ()
    """What is recorded. Fields may say in the schema how they are summed up ($Arenad.aggregate)."""

    state: S

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared: set[str] = set()
        for base in cls.__mro__:
            declared.update(base.__dict__.get("__annotations__", ()))
        cls._declared = frozenset(declared)
        for base in cls.__dict__.get("__orig_bases__", ()):
            if get_origin(base) is Game and isinstance(get_args(base)[0], type):
                cls.State = get_args(base)[0]

    _declared: ClassVar[frozenset[str]] = frozenset({"state"})

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self._declared:
            raise AttributeError(
                f"{type(self).__name__} declares no attribute {name!r}: what must survive a crash belongs into the state; "
                f"what follows from it is declared in the class, `{name}: type`, and made anew in on_restore"
            )
        object.__setattr__(self, name, value)

    @classmethod
    def warm_up(cls) -> None:
        """Once in the template, before workers are forked from it: load here what all arenas share."""

    def on_init(self, ctx: Context, params: Params) -> None:
        """A new arena. ctx.options may be changed."""

    def on_restore(self, ctx: Context) -> None:
        """Instead of on_init, after a crash, a restart or a resume: the state is there."""

    def on_migrate(self, ctx: Context, old: Any, old_version: str) -> None:
        """Instead of on_restore, for the state of another version: old is it, read as this version's State; self.state has been filled from it."""
        self.on_restore(ctx)

    def on_join_attempt(self, ctx: Context, seat: int, name: str) -> None:
        """A player wants this seat. `raise arenad.Refused("the match is full")` keeps it out; then on_join is not called."""

    def on_join(self, ctx: Context, seat: int, name: str) -> None:
        """A player has taken this seat."""

    def on_leave(self, ctx: Context, seat: int, reason: int) -> None:
        """The player of this seat is gone: 0 has left, 1 the connection is lost, 2 was expelled, 3 was kicked."""

    def on_signal(self, ctx: Context, name: str, payload: str) -> str | None:
        """`arenactl tell ARENA NAME [TEXT]`, or a service of the studio's: what is replied, of which 32 KiB are passed on. It is part of its frame, as an event is."""
        raise Refused(f"the game knows no signal {name}")

    def on_event(self, ctx: Context, seat: int, event: Any) -> None:
        """One event of a class in Events, as its Reader."""

    def on_tick(self, ctx: Context) -> None:
        """tick_hz times a second; with tick_hz 0 after each batch of events."""

    def on_drain(self, ctx: Context, deadline_unix_ns: int) -> None:
        """The match should end by then. It may come again, with another deadline or in another worker."""
