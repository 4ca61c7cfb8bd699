"""A typed event, read field by field, against the same as a dictionary from pickle. Prints the ratio of speeds and of bytes, then nanoseconds and bytes of both.

The event is an order of the tanks (examples/tanks/tanks.capnp). Both take what came as bytes, and read each field once. Rounds alternate, and the median of their ratios
is printed.
"""

import pickle
import statistics
import time

import arenad
from tanks_py.tanks_capnp import Order

ROUNDS = 41
EVENTS = 20_000

fields = {"throttle": 100, "turn": -50, "turret": 40000, "fire": True}
typed = arenad.encode(Order(**fields))
pickled = pickle.dumps(fields, pickle.HIGHEST_PROTOCOL)
decode = arenad.decode
loads = pickle.loads


def read_typed() -> None:
    for _ in range(EVENTS):
        event = decode(Order, typed)
        event.throttle, event.turn, event.turret, event.fire


def read_pickled() -> None:
    for _ in range(EVENTS):
        event = loads(pickled)
        event["throttle"], event["turn"], event["turret"], event["fire"]


def nanoseconds(read: object) -> float:
    began = time.perf_counter_ns()
    read()  # type: ignore[operator]
    return (time.perf_counter_ns() - began) / EVENTS


rounds = [(nanoseconds(read_typed), nanoseconds(read_pickled)) for _ in range(ROUNDS)]
ratio = statistics.median(pickle_ns / typed_ns for typed_ns, pickle_ns in rounds)
print(ratio, len(typed) / len(pickled))
print(statistics.median(one for one, _ in rounds), statistics.median(one for _, one in rounds), len(typed), len(pickled))
