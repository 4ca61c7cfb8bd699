"""The example game tanks in Python: the same battles, bit for bit, as examples/tanks gives in C++."""

from .game import Tanks

__all__ = ["Tanks"]
