"""Counts its ticks; what else a version does is in version.py."""

from . import version
from .game import Counter as Counter

if version.RAISES_AT_IMPORT:
    raise RuntimeError("this version cannot be imported")
