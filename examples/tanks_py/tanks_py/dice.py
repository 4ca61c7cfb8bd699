"""The dice of a battle. Their whole state is one number, which belongs to the battle and is saved with it.

SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from typing import Protocol

_MASK = 0xFFFFFFFFFFFFFFFF
_ULP = 2.0**-53


class Owner(Protocol):
    """Whoever keeps the number: the state of a battle, or a Seed."""

    random: int


class Seed:
    """Dice of their own, beside those of any battle."""

    __slots__ = ("random",)

    def __init__(self, seed: int) -> None:
        self.random = seed


def unit(owner: Owner) -> float:
    """0 <= result < 1."""
    z = (owner.random + 0x9E3779B97F4A7C15) & _MASK
    owner.random = z
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _MASK
    return ((z ^ z >> 31) >> 11) * _ULP


def between(owner: Owner, low: int, high: int) -> int:
    """low <= result <= high."""
    return low + int(unit(owner) * (high - low + 1))


def factor(owner: Owner, spread: float) -> float:
    """1 - spread <= result < 1 + spread."""
    return 1 + spread * (2 * unit(owner) - 1)
