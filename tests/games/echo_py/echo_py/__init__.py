"""The game echo (tests/games/echo_game.cc) in Python."""

from .game import Echo as Echo
