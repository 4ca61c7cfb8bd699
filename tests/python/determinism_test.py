"""Time and dice are the frame's, whoever asks for them."""

import abc
import datetime
import logging
import os
import random
import secrets
import time
import unittest
import uuid

from arenad import determinism

determinism.install()

NS = 1_700_000_000_123_456_789


def asked():
    """All that a game may ask the machine for."""
    return (
        time.time(),
        time.time_ns(),
        time.monotonic_ns(),
        time.localtime(),
        time.gmtime(),
        time.ctime(),
        time.asctime(),
        time.strftime("%H:%M:%S"),
        random.Random().random(),
        random.Random(5).random(),
        datetime.datetime.now().isoformat(),
        datetime.datetime.now(datetime.timezone.utc).isoformat(),
        datetime.date.today().isoformat(),
        random.random(),
        random.randrange(10**30),
        random.gauss(0, 1),
        random.sample(range(100), 5),
        random.choices("abc", k=5),
        random.shuffle([1, 2, 3]),
        random.SystemRandom().random(),
        secrets.token_hex(8),
        str(uuid.uuid4()),
        str(uuid.uuid1()),
        os.urandom(5),
        random.getrandbits(3),
    )


class Frames(unittest.TestCase):
    def test_a_frame_that_is_run_again_gives_the_same(self):
        determinism.begin_frame(NS, 7)
        first = asked()
        determinism.begin_frame(NS + 50_000_000, 8)
        second = asked()
        determinism.begin_frame(NS, 7)
        self.assertEqual(asked(), first)
        self.assertNotEqual(first[8], second[8])
        self.assertEqual(first[9], second[9])
        self.assertNotEqual(first[13:], second[13:])
        self.assertEqual(first[5], time.ctime(NS / 1e9))
        self.assertEqual(first[1], NS)

    def test_the_dice_are_those_of_games_in_c_plus_plus(self):
        # SplitMix64 from seed 1234567: the reference numbers that its authors' C code gives.
        dice = determinism.FrameRandom(1234567)
        self.assertEqual(
            [dice.next() for _ in range(3)], [6457827717110365317, 3203168211198807973, 9817491932198370423]
        )

    def test_numbers_are_where_they_must_be(self):
        dice = determinism.FrameRandom(1)
        for bits in range(0, 200):
            self.assertLess(dice.getrandbits(bits), 1 << bits)
        self.assertTrue(all(0 <= dice.random() < 1 for _ in range(1000)))
        self.assertEqual({dice.below(3) for _ in range(200)}, {0, 1, 2})
        tops = [dice.getrandbits(70) >> 69 for _ in range(400)]
        self.assertTrue(100 < sum(tops) < 300)
        state = dice.getstate()
        after = [dice.random() for _ in range(3)]
        dice.setstate(state)
        self.assertEqual([dice.random() for _ in range(3)], after)

    def test_who_asks_the_machine_is_named(self):
        time.perf_counter()
        time.process_time()
        time.clock_gettime(time.CLOCK_MONOTONIC)
        named = "; ".join(determinism.suspects())
        self.assertIn("time.perf_counter at determinism_test.py:", named)
        self.assertIn("time.process_time at determinism_test.py:", named)
        self.assertIn("time.clock_gettime at determinism_test.py:", named)

    def test_types_stay_types(self):
        self.assertIsInstance(datetime.datetime.now() + datetime.timedelta(days=1), datetime.datetime)
        self.assertLess(datetime.datetime(2020, 1, 1), datetime.datetime.now())
        now = datetime.datetime.now()
        for one in (now, now.date(), now + datetime.timedelta(days=1), datetime.date.today()):
            self.assertIsInstance(one, datetime.date)
        self.assertNotIsInstance(datetime.date.today(), datetime.datetime)
        self.assertTrue(issubclass(datetime.datetime, datetime.date))

        class Deadline(datetime.datetime):
            pass

        self.assertIsInstance(Deadline(2026, 1, 1), Deadline)
        self.assertIsInstance(Deadline(2026, 1, 1), datetime.date)
        self.assertNotIsInstance(datetime.datetime(2026, 1, 1), Deadline)
        self.assertFalse(issubclass(datetime.datetime, Deadline))

        class Calendar(datetime.date, abc.ABC):
            pass

        self.assertIsInstance(Calendar(2026, 1, 1), datetime.date)
        self.assertNotIsInstance(datetime.date(2026, 1, 1), Calendar)

    def test_dice_of_the_machine_are_the_frame_s(self):
        drawn = []
        for _ in range(2):
            determinism.begin_frame(NS, 7)
            drawn.append((os.getrandom(8), os.getrandom(4, 0), os.urandom(8)))
        self.assertEqual(drawn[0], drawn[1])
        self.assertEqual([len(one) for one in drawn[0]], [8, 4, 8])

    def test_seeds_are_what_python_takes_for_them(self):
        for seed in (3, -3, 2.5, "a text", b"bytes", bytearray(b"bytes")):
            random.seed(seed)
            first = random.random()
            random.seed(seed)
            self.assertEqual(random.random(), first)
        for wrong in (object(), [1], (1, 2)):
            with self.assertRaises(TypeError):
                random.seed(wrong)

    def test_functions_are_no_methods_of_classes_that_have_them(self):
        class Clocks:
            now = time.time
            local = time.localtime
            measured = time.perf_counter
            dice = os.urandom

        determinism.begin_frame(NS, 7)
        clocks = Clocks()
        self.assertEqual(clocks.now(), NS / 1e9)
        self.assertEqual(clocks.local(NS / 1e9), time.localtime())
        self.assertEqual(len(clocks.dice(5)), 5)
        clocks.measured()
        # As this does.
        formatter = logging.Formatter("%(asctime)s %(message)s")
        formatter.converter = logging.Formatter.converter = time.gmtime
        record = logging.LogRecord("game", logging.INFO, "game.py", 1, "a line", None, None)
        self.assertEqual(formatter.format(record), "2023-11-14 22:13:20,123 a line")


if __name__ == "__main__":
    unittest.main()
