"""What the host in C++ calls when it loads a game (python/host/game_class.cc)."""

from __future__ import annotations

import gc
import importlib
import sys
import traceback
from types import ModuleType
from typing import Any

from . import arena as arena  # loaded in the template, for all workers; and so is the next one
from . import determinism
from . import rehearsal as rehearsal
from .game import Game

_LIMITS = {"tick_hz": (0, 128), "max_players": (1, 64)}


class GameError(Exception):
    """What is wrong with a game, for who has packed it."""


def load(package: str) -> type[Game[Any]]:
    """Imports the package and finds the game in it. GameError, or whatever the import raises."""
    gc.disable()
    determinism.install()
    return checked(find_game(importlib.import_module(package)))


def find_game(module: ModuleType) -> type[Game[Any]]:
    found = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Game) and one is not Game]
    # One that another one derives from is not meant.
    found = [one for one in found if not any(other is not one and issubclass(other, one) for other in found)]
    if len(found) != 1:
        named = ", ".join(one.__name__ for one in found) or "none"
        raise GameError(f"the package {module.__name__} must have one class that derives from arenad.Game in its __init__.py; it has {named}")
    return found[0]


def checked(game: type[Game[Any]]) -> type[Game[Any]]:
    for attribute in ("name", "State"):
        if not hasattr(game, attribute):
            raise GameError(f"{game.__name__} does not say its {attribute}")
    for attribute in ("name", "version"):
        if not isinstance(getattr(game, attribute), str):
            raise GameError(f"{game.__name__}.{attribute} is {getattr(game, attribute)!r}, and must be a text")
    for attribute in ("Events", "Results"):
        if not isinstance(getattr(game, attribute), (tuple, list)):
            raise GameError(f"{game.__name__}.{attribute} must be a tuple of classes of a schema; of one class: ({'Aim' if attribute == 'Events' else 'Score'},)")
    for attribute, (low, high) in _LIMITS.items():
        value = getattr(game, attribute)
        if not isinstance(value, int) or not low <= value <= high:
            raise GameError(f"{game.__name__}.{attribute} is {value!r}, and must be a number from {low} to {high}")
    if game.on_exception not in ("recover", "quarantine"):
        raise GameError(f'{game.__name__}.on_exception is {game.on_exception!r}, and must be "recover" or "quarantine"')
    if game.on_tick is Game.on_tick:
        raise GameError(f"{game.__name__} has no on_tick")
    return game


def warm_up(game: type[Game[Any]]) -> None:
    """In the template, as the last thing before workers are forked: what it has loaded stays in pages that all of them share."""
    game.warm_up()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # what was printed so far is the template's alone
    gc.collect()
    gc.freeze()


def text_of(error: BaseException) -> str:
    """One line that says what and where, and then the whole traceback, the innermost call first, without the frames of Arenad's own."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not _is_own(one.filename)]
    what = "".join(traceback.format_exception_only(type(error), error)).strip()
    where = f" ({_short(frames[-1].filename)}:{frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    lines = [what + where]
    lines += [f"{one.name} ({_short(one.filename)}:{one.lineno})" + (f": {one.line}" if one.line else "") for one in reversed(frames)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        lines += ["caused by:", *text_of(cause).splitlines()]
    return "\n".join(lines)


def _is_own(filename: str) -> bool:
    return filename.startswith("arenad/") or "/arenad/" in filename


def _short(filename: str) -> str:
    """Within the game: tanks_py/battle.py."""
    parts = filename.split("/")
    for index, part in enumerate(parts):
        if part.endswith(".so"):
            return "/".join(parts[index + 1 :])
    return "/".join(parts[-2:])
