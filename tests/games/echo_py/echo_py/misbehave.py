"""Does what a game must not do, when a test asks for it."""

import ctypes
import os
import signal
import time
import zlib


class Burst(Exception):
    """What a game raises that has a mistake in it."""


class Link:
    """One of two that hold each other, which only the collector frees."""

    def __init__(self) -> None:
        self.other: "Link | None" = None
        self.load = [None] * 8


def burn(milliseconds: int) -> int:
    end = time.perf_counter() + milliseconds / 1000
    turns = 0
    while time.perf_counter() < end:
        turns += 1
    return turns


def call_something_heavy(milliseconds: int) -> None:
    """One call that is not Python, and does not give the interpreter's lock away."""
    end = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end:
        sum(range(30_000_000))


def leak(pairs: int) -> None:
    for _ in range(pairs):
        one, two = Link(), Link()
        one.other, two.other = two, one


def misbehave(how: str, while_file: str, once: bool, milliseconds: int) -> None:
    if while_file and not os.path.exists(while_file):
        return
    if once:
        os.unlink(while_file)
    if how == "raise":
        raise Burst("this game has burst")
    if how == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "write":
        ctypes.string_at(16)
    if how == "hang":
        while True:
            time.sleep(1)
    if how == "burn":
        burn(milliseconds)
    if how == "heavy":
        call_something_heavy(milliseconds)
    if how == "sleep":
        time.sleep(milliseconds / 1000)
    if how == "compress":
        end = time.perf_counter() + milliseconds / 1000
        while time.perf_counter() < end:
            zlib.compress(bytes(50_000_000))
    if how == "leak":
        leak(milliseconds)
    if how == "exit":
        os._exit(7)
