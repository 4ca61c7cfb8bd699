"""The unit of messages, and of what the state keeps of the map: 1/64 metre, so that 800 metres fit in 16 bits."""

from collections.abc import Iterable

from .map import SIZE_METRES, Shape
from .tanks_capnp import Obstacle

WIRE_UNITS_PER_METRE = 64.0
assert SIZE_METRES * WIRE_UNITS_PER_METRE <= 0xFFFF


def to_wire(metres: float) -> int:
    """Halves go away from zero, and what is off the map wraps round."""
    units = metres * WIRE_UNITS_PER_METRE
    return (int(units + 0.5) if units >= 0 else -int(0.5 - units)) & 0xFFFF


def to_metres(wire: int) -> float:
    return wire / WIRE_UNITS_PER_METRE


def obstacles_of(shapes: Iterable[Shape]) -> list[Obstacle]:
    return [
        Obstacle(
            kind=shape.kind,
            x=to_wire(shape.x),
            y=to_wire(shape.y),
            half_width=to_wire(shape.half_x),
            half_height=to_wire(shape.half_y),
        )
        for shape in shapes
    ]


def shapes_of(obstacles: Iterable[Obstacle]) -> list[Shape]:
    return [
        Shape(
            obstacle.kind,
            to_metres(obstacle.x),
            to_metres(obstacle.y),
            to_metres(obstacle.half_width),
            to_metres(obstacle.half_height),
        )
        for obstacle in obstacles
    ]
