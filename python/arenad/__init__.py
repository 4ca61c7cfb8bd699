"""What a game in Python is written against.

    import arenad
    from .duel_capnp import Aim, Score, Shot, State     # classes made from duel.capnp

    class Duel(arenad.Game[State]):                     # self.state is a State, and all of it survives a crash
        name = "duel"
        version = "1.0"
        Events = (Aim,)

        def on_event(self, ctx, seat, event): ...
        def on_tick(self, ctx): ...

docs/writing-a-game-in-python.md is the tutorial.
"""

from _arenad import List, decode, encode, thaw, type_id, which

from . import schema_import
from .context import EVERYONE, Context, Log, seat_mask
from .game import Game, Params, Refused

schema_import.install()

__all__ = [
    "EVERYONE",
    "Context",
    "Game",
    "List",
    "Log",
    "Params",
    "Refused",
    "decode",
    "encode",
    "seat_mask",
    "thaw",
    "type_id",
    "which",
]
