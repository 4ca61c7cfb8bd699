"""Where the tanks are, once more beside their states, so that those near a place are found without looking at all.

The map is cut into strips from south to north and from west to east. Each strip keeps the tanks that are in it or in
a strip beside it, as bits, one for each seat; what a strip of each direction keeps in common is near.
"""

from collections.abc import Iterable

from .map import SIZE_METRES

_STRIP_BITS = 3
_STRIP_METRES = 1 << _STRIP_BITS
# There are more strips at each edge of the map, for places that are a little beyond it.
_BEYOND = 4
_STRIPS = int(SIZE_METRES) // _STRIP_METRES + 2 * _BEYOND

# Well below what the strips reach, so that no rounding matters.
NEAR_METRES = _STRIP_METRES - 1.0
AROUND_METRES = 2 * _STRIP_METRES - 1.0


class Places:
    __slots__ = ("_columns", "_rows", "xs", "ys")

    def __init__(self, places: Iterable[tuple[float, float]]) -> None:
        self.xs: list[float] = []  # by seat
        self.ys: list[float] = []
        self._columns = [0] * _STRIPS
        self._rows = [0] * _STRIPS
        for seat, (x, y) in enumerate(places):
            self.xs.append(x)
            self.ys.append(y)
            _toggle(self._columns, _strip(x), 1 << seat)
            _toggle(self._rows, _strip(y), 1 << seat)

    def move(self, seat: int, x: float, y: float) -> None:
        before, after = _strip(self.xs[seat]), _strip(x)
        if before != after:
            _toggle(self._columns, before, 1 << seat)
            _toggle(self._columns, after, 1 << seat)
        before, after = _strip(self.ys[seat]), _strip(y)
        if before != after:
            _toggle(self._rows, before, 1 << seat)
            _toggle(self._rows, after, 1 << seat)
        self.xs[seat] = x
        self.ys[seat] = y

    def near(self, x: float, y: float) -> int:
        """As bits, the seats of the tanks within NEAR_METRES of this place, and maybe others."""
        return self._columns[(int(x) >> _STRIP_BITS) + _BEYOND] & self._rows[(int(y) >> _STRIP_BITS) + _BEYOND]

    def around(self, x: float, y: float) -> int:
        """As bits, the seats of the tanks within AROUND_METRES of this place, and maybe others."""
        column, row = (int(x) >> _STRIP_BITS) + _BEYOND, (int(y) >> _STRIP_BITS) + _BEYOND
        columns, rows = self._columns, self._rows
        return (columns[column - 1] | columns[column + 1]) & (rows[row - 1] | rows[row + 1])


def _strip(metres: float) -> int:
    return (int(metres) >> _STRIP_BITS) + _BEYOND


def _toggle(strips: list[int], strip: int, bit: int) -> None:
    strips[strip - 1] ^= bit
    strips[strip] ^= bit
    strips[strip + 1] ^= bit
