"""When garbage is collected: between frames, as much as fits in, and never without a bound."""

import gc
import unittest

from arenad import collector
from arenad.collector import Collector


LONG = 60.0
"""Seconds into which any of these collections fits, however slow the machine is."""


class Lines:
    def __init__(self):
        self.lines = []

    def info(self, text):
        self.lines.append(("info", text))

    def warning(self, text):
        self.lines.append(("warning", text))


class Link:
    pass


def leak(pairs):
    for _ in range(pairs):
        one, two = Link(), Link()
        one.other, two.other = two, one


class Collecting(unittest.TestCase):
    def setUp(self):
        self.log = Lines()
        self.alarms = 0
        self.collector = Collector(self.log, self.alarm)
        self.collector.begin()
        self.frozen = gc.get_freeze_count()

    def alarm(self):
        self.alarms += 1

    def tearDown(self):
        gc.unfreeze()
        gc.enable()

    def links(self):
        return sum(isinstance(one, Link) for one in gc.get_objects())

    def test_nothing_runs_in_a_frame(self):
        self.assertFalse(gc.isenabled())

    def test_cycles_go_in_the_time_between_frames(self):
        leak(2000)
        self.collector.idle(LONG)
        self.assertEqual(self.links(), 0)
        self.assertGreaterEqual(self.collector.cyclic, 4000)

    def test_too_few_are_not_worth_it(self):
        leak(100)
        self.collector.idle(0.040)
        self.assertEqual(self.links(), 200)

    def test_what_does_not_fit_waits(self):
        leak(10_000)
        self.collector.idle(0.000_01)
        self.assertEqual(self.links(), 20_000)
        self.collector.idle(LONG)
        self.assertEqual(self.links(), 0)

    def test_older_ones_that_do_not_fit_hold_up_no_younger_ones(self):
        self.collector._middle = 10**9
        for _ in range(3 * collector.OLDER_EVERY):
            leak(2000)
            self.collector.idle(LONG)
            self.assertEqual(self.links(), 0)

    def test_one_slow_moment_is_forgotten(self):
        self.collector._young_price.seconds_for_an_object = 100e-6
        leak(2000)
        for _ in range(300):
            self.collector.idle(0.040)
        self.assertEqual(self.links(), 0)

    def test_beyond_the_bound_it_is_set_aside_and_told(self):
        self.collector._told_at -= collector.TELL_EVERY_SECONDS
        leak(collector.YOUNG_BOUND)
        self.collector.idle(0.000_01)
        self.assertGreater(gc.get_freeze_count() - self.frozen, collector.YOUNG_BOUND)
        self.assertEqual(self.log.lines[0][0], "warning")
        self.assertIn("collecting garbage is put off", self.log.lines[0][1])
        self.assertIn("Link", self.log.lines[0][1])
        self.assertEqual(self.alarms, 1)
        # And what comes then is short again.
        leak(2000)
        self.collector.idle(LONG)
        self.assertEqual(self.links(), 0)

    def test_without_any_time_the_bound_is_seen(self):
        leak(collector.YOUNG_BOUND)
        self.collector.idle(0.0)
        self.assertEqual(self.alarms, 1)

    def test_types_are_named(self):
        for _ in range(collector.OLDER_EVERY + 1):
            leak(2000)
            self.collector.idle(LONG)
        self.assertEqual(gc.garbage, [])
        self.assertEqual(self.links(), 0)
        self.collector._told_at -= collector.TELL_EVERY_SECONDS
        leak(2000)
        self.collector.idle(LONG)
        level, text = self.log.lines[-1]
        self.assertEqual(level, "info")
        self.assertIn("__main__.Link", text)

    def test_what_lives_long_is_set_aside_when_it_never_fits(self):
        keep = []
        while len(keep) < 3 * collector.WHOLE_FROM:
            keep.extend([None] for _ in range(collector.YOUNG_ENOUGH))
            self.collector.idle(LONG)
        self.collector._told_at -= collector.TELL_EVERY_SECONDS
        keep.extend([None] for _ in range(collector.WHOLE_FROM))
        self.collector._whole_price.seconds_for_an_object = LONG
        for _ in range(collector.WHOLE_PATIENCE + 1):
            self.collector.idle(LONG)
        self.assertGreater(gc.get_freeze_count() - self.frozen, collector.WHOLE_FROM)
        self.assertGreater(self.collector.set_aside, collector.WHOLE_FROM)
        self.assertEqual(self.alarms, 1)
        self.assertEqual([level for level, _ in self.log.lines], ["warning"])

    def test_a_whole_collection_is_priced_by_all_that_it_looks_at(self):
        keep = []
        for _ in range(20):
            keep.extend([None] for _ in range(collector.WHOLE_FROM))
            self.collector.idle(LONG)
        # Young ones are few, and a whole one looks at all.
        self.assertGreaterEqual(self.collector._looked_at_by(collector.WHOLE), len(keep))
        price = self.collector._whole_price
        for _ in range(10 * collector.WHOLE_PATIENCE):
            price.forget_a_little()
        self.assertFalse(price.fits(len(keep), price._least * len(keep)))

    def test_types_of_what_lives_are_not_taken_for_garbage(self):
        keep = [[None] for _ in range(collector.YOUNG_BOUND + 1000)]
        self.collector.idle(0.000_01)
        self.assertEqual(self.alarms, 1)
        leak(2000)
        self.collector.idle(LONG)
        self.collector._told_at -= collector.TELL_EVERY_SECONDS
        leak(2000)
        self.collector.idle(LONG)
        told = dict(self.log.lines)
        self.assertIn("builtins.list", told["warning"])
        self.assertIn("Link", told["info"])
        self.assertNotIn("builtins.list", told["info"])
        self.assertGreater(len(keep), collector.YOUNG_BOUND)

    def test_types_of_cycles_that_live_for_some_frames_are_named(self):
        waiting = []
        for _ in range(25 * collector.OLDER_EVERY):
            waiting.append([Link() for _ in range(collector.YOUNG_ENOUGH)])
            for one in waiting[-1]:
                one.itself = one
            if len(waiting) > 5:
                waiting.pop(0)
            self.collector.idle(LONG)
        self.assertGreater(self.collector.cyclic, 0)
        self.assertIn("__main__.Link", self.collector._types_found)


if __name__ == "__main__":
    unittest.main()
