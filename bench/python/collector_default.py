"""The same game (collector_py) in a Python as it comes, whose collector runs when it will: prints the longest pause of a frame, in milliseconds, and how many
collections there were. The argument: how many frames."""

import gc
import sys

from collector_py import Collecting, Pauses

gc.enable()
game = Collecting()
game.begin()
pauses: Pauses = game._pauses
pauses.longest_seconds = 0.0  # of frames, not of the beginning
for _ in range(int(sys.argv[1])):
    game.on_tick(None)  # type: ignore[arg-type]
print(pauses.longest_seconds * 1e3, *pauses.collections)
