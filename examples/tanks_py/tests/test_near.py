"""That to ask only what is near gives what asking all would."""

import random
import sys
import unittest
from pathlib import Path

# After those that PYTHONPATH names: a package that was built has its schema beside it.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from tanks_py.geometry import COSINES, SINES, enter_box, enter_circle
from tanks_py.map import SIZE_METRES, Map, Shape, generate
from tanks_py.places import AROUND_METRES, NEAR_METRES, Places
from tanks_py.tanks_capnp import ObstacleKind

SEEDS = range(8)


def entry(shape: Shape, x: float, y: float, to_x: float, to_y: float) -> float | None:
    if shape.kind == ObstacleKind.building:
        box = enter_box(x - shape.x, y - shape.y, to_x - x, to_y - y, shape.half_x, shape.half_y)
        return box[0] if box else None
    return enter_circle(x - shape.x, y - shape.y, to_x - x, to_y - y, shape.half_x)


def hides(shape: Shape, fraction: float | None) -> bool:
    return fraction is not None and (shape.kind != ObstacleKind.wood or fraction != 0)


class OnMaps(unittest.TestCase):
    def test_eyes_see_what_no_obstacle_hides(self) -> None:
        for seed in SEEDS:
            shapes, dice = generate(seed), random.Random(seed)
            field = Map(shapes)
            for _ in range(500):
                x, y = dice.uniform(0, SIZE_METRES), dice.uniform(0, SIZE_METRES)
                to_x = min(max(x + dice.uniform(-240, 240), 0), SIZE_METRES)
                to_y = min(max(y + dice.uniform(-240, 240), 0), SIZE_METRES)
                hidden = any(hides(shape, entry(shape, x, y, to_x, to_y)) for shape in shapes)
                self.assertEqual(field.sees(x, y, to_x, to_y), not hidden, f"seed {seed}: {x} {y} to {to_x} {to_y}")

    def test_shells_strike_the_first_solid_of_all(self) -> None:
        for seed in SEEDS:
            shapes, dice = generate(seed), random.Random(seed)
            field = Map(shapes)
            solids = [shape for shape in shapes if shape.kind != ObstacleKind.wood]
            for _ in range(2000):
                x, y = _about_one_of(solids, dice)
                angle = dice.randrange(65536)
                to_x, to_y = x + COSINES[angle] * 16, y + SINES[angle] * 16
                fractions = (entry(shape, x, y, to_x, to_y) for shape in solids)
                first = min((fraction for fraction in fractions if fraction is not None), default=None)
                self.assertEqual(field.first_solid(x, y, to_x, to_y), first, f"seed {seed}: {x} {y} at {angle}")

    def test_tanks_are_pushed_to_where_no_solid_touches_them(self) -> None:
        for seed in SEEDS:
            shapes, dice = generate(seed), random.Random(seed)
            field = Map(shapes)
            solids = [shape for shape in shapes if shape.kind != ObstacleKind.wood]
            for _ in range(1000):
                x, y = field.pushed_out(*_about_one_of(solids, dice), 3.2)
                for shape in solids:
                    reach = 3.2 - 1e-9
                    if shape.kind == ObstacleKind.rock:
                        self.assertIsNot(enter_circle(x - shape.x, y - shape.y, 0.0, 0.0, shape.half_x + reach), 0.0)
                        continue
                    off_x = max(abs(x - shape.x) - shape.half_x, 0)
                    off_y = max(abs(y - shape.y) - shape.half_y, 0)
                    self.assertGreater(off_x * off_x + off_y * off_y, reach * reach)


def _about_one_of(shapes: list[Shape], dice: random.Random) -> tuple[float, float]:
    shape = dice.choice(shapes)
    x, y = shape.x + dice.uniform(-25, 25), shape.y + dice.uniform(-25, 25)
    return min(max(x, 0), SIZE_METRES), min(max(y, 0), SIZE_METRES)


class AmongTanks(unittest.TestCase):
    def test_none_that_is_near_is_left_out(self) -> None:
        dice = random.Random(1)

        def place() -> tuple[float, float]:
            return dice.uniform(0, 120), dice.uniform(0, SIZE_METRES)

        places = Places(place() for _ in range(30))
        for _ in range(2000):
            places.move(dice.randrange(30), *place())
            x, y = dice.uniform(-15, 130), dice.uniform(-15, SIZE_METRES + 15)
            for found, metres in ((places.near(x, y), NEAR_METRES), (places.around(x, y), AROUND_METRES)):
                for seat in range(30):
                    if max(abs(places.xs[seat] - x), abs(places.ys[seat] - y)) <= metres:
                        self.assertTrue(found >> seat & 1, f"seat {seat} is near {x} {y}")


if __name__ == "__main__":
    unittest.main()
