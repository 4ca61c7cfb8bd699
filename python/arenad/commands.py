"""The command arenad-python."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import unittest
from pathlib import Path
from typing import Any

from . import determinism
from .game import Game
from .host import GameError, checked, find_game
from .pack import PackError, find_package, pack
from .schema_import import SchemaError

_HELP = """Games in Python, at the desk.

  arenad-python pack duel -o games/duel.so      one file of it, which arenad runs:  [games.duel] module = "games/duel.so"
  arenad-python desk duel --ticks 100           plays it here, without a daemon
  arenad-python desk duel --break               the same, in the debugger
  arenad-python test duel                       its tests
  arenad-python stubs duel                      tells editors and mypy what the schema says
  arenad-python path                            where the package arenad lies, for them: MYPYPATH=$(arenad-python path) mypy duel

A game is a folder with a Python package: docs/writing-a-game-in-python.md.
"""


def _load(folder: Path) -> tuple[Path, type[Game[Any]]]:
    package = find_package(folder)
    sys.path.insert(0, str(package.parent.resolve()))
    determinism.install()
    return package, checked(find_game(importlib.import_module(package.name)))


def _pack(options: argparse.Namespace) -> int:
    output = options.output or Path(f"{find_package(options.folder).name}.so")
    pack(options.folder, output, options.schema, options.host)
    print(f"{output}: {os.path.getsize(output) // 1024} KiB")
    return 0


def _stubs(options: argparse.Namespace) -> int:
    from .stubs import write_stubs

    package = find_package(options.folder)
    sys.path.insert(0, str(package.parent.resolve()))
    for path in write_stubs(package):
        print(path)
    return 0


def _path(options: argparse.Namespace) -> int:
    print(Path(__file__).resolve().parent.parent)
    return 0


def _desk(options: argparse.Namespace) -> int:
    _, game = _load(options.folder)
    from .desk import Desk

    without_value = [one for one in options.param if "=" not in one]
    if without_value:
        raise GameError(f"--param {without_value[0]}: KEY=VALUE is meant")
    params = dict(one.split("=", 1) for one in options.param)
    desk = Desk(game, params, options.seed)
    for seat in range(min(options.players, desk.max_players)):
        desk.join(seat, f"player-{seat}")
    if options.breakpoint:
        print("The debugger stops in on_tick. `c` goes on to the next one, `q` ends.")
        import pdb

        debugger = pdb.Pdb()
        debugger.rcLines.append(f"break {game.on_tick.__code__.co_filename}:{game.on_tick.__code__.co_firstlineno + 1}")
        debugger.runcall(desk.tick, options.ticks)
    else:
        desk.tick(options.ticks)
    desk.restore()
    print(f"{game.name} {game.version}: {desk.frame} frames{', ended' if desk.ended else ''}")
    print(f"outputs: {len(desk.outputs)}, state: {len(desk.save())} bytes")
    for level, text in desk.logged:
        print(f"{level}: {text}")
    for seat, result in desk.results:
        print(f"result of seat {seat}: {result}")
    return 0


def _test(options: argparse.Namespace) -> int:
    package = find_package(options.folder)
    top = package.parent
    sys.path.insert(0, str(top.resolve()))
    determinism.install()
    tests = top / "tests"
    if not tests.is_dir():
        raise PackError(f"there are no tests in {tests}")
    suite = unittest.defaultTestLoader.discover(str(tests), top_level_dir=str(tests))
    if suite.countTestCases() == 0:
        raise PackError(f"there are no tests in {tests}")
    outcome = unittest.TextTestRunner(verbosity=2 if options.verbose else 1).run(suite)
    return 0 if outcome.wasSuccessful() else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="arenad-python", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: object, text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.add_argument("folder", type=Path, help="the game's folder: its package, or what the package is in")
        made.set_defaults(run=run)
        return made

    packer = verb("pack", _pack, "Makes one file of a game, which arenad runs.")
    packer.add_argument("-o", "--output", type=Path, help="the file to make (default: NAME.so)")
    packer.add_argument("--schema", type=Path, action="append", default=[], help="a schema that lies elsewhere, and is put into the package")
    packer.add_argument("--host", type=Path, help=argparse.SUPPRESS)
    desk = verb("desk", _desk, "Plays a game here, without a daemon, and shows what came of it.")
    desk.add_argument("--ticks", type=int, default=100, help="how many (default: 100)")
    desk.add_argument("--players", type=int, default=2, help="who join, and do nothing (default: 2)")
    desk.add_argument("--param", action="append", default=[], metavar="KEY=VALUE", help="as arenactl start takes it")
    desk.add_argument("--seed", type=int, default=1, help="of the match's dice (default: 1)")
    desk.add_argument("--break", dest="breakpoint", action="store_true", help="in the debugger, which stops in on_tick")
    tests = verb("test", _test, "Runs the tests in tests/, by unittest.")
    tests.add_argument("-v", "--verbose", action="store_true", help="names each test")
    verb("stubs", _stubs, "Writes NAME_capnp.pyi beside each schema.")
    path = verbs.add_parser("path", help="Prints the folder of the package arenad.", description="Prints the folder of the package arenad.")
    path.set_defaults(run=_path)
    return parser


def main() -> int:
    options = _parser().parse_args()
    try:
        code: int = options.run(options)
        return code
    except BrokenPipeError:  # before OSError, which it is
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (PackError, SchemaError, GameError, OSError) as error:
        print(f"arenad-python: {error}", file=sys.stderr)
        return 1
