"""The typed objects: what they take, what they refuse and how they say it, and that messages come back as they went."""

import copy
import gc
import math
import random
import subprocess
import unittest
from pathlib import Path

import arenad
from everything.everything_capnp import (
    ANSWER,
    GREETING,
    Choice,
    Colour,
    Defaults,
    Grouped,
    Inner,
    Lists,
    Numbers,
    Outer,
    Tree,
)

SCHEMA = Path(__file__).parent / "everything" / "everything.capnp"


def there_and_back(value):
    return arenad.decode(type(value), arenad.encode(value))


def same_by_compiler(value):
    """The message as `capnp` reads it: another implementation than the one that wrote it."""
    done = subprocess.run(
        ["capnp", "convert", "--quiet", "flat:text", str(SCHEMA), type(value).__qualname__],
        input=arenad.encode(value),
        capture_output=True,
        check=True,
    )
    return " ".join(done.stdout.decode().split())


class Assigning(unittest.TestCase):
    def refused(self, kind, text, action):
        with self.assertRaises(kind) as caught:
            action()
        self.assertIn(text, str(caught.exception))

    def test_numbers_have_their_ranges(self):
        ranges = {
            "i8": (-(2**7), 2**7 - 1),
            "i16": (-(2**15), 2**15 - 1),
            "i32": (-(2**31), 2**31 - 1),
            "i64": (-(2**63), 2**63 - 1),
            "u8": (0, 2**8 - 1),
            "u16": (0, 2**16 - 1),
            "u32": (0, 2**32 - 1),
            "u64": (0, 2**64 - 1),
        }
        for name, (low, high) in ranges.items():
            numbers = Numbers()
            for fits in (low, high):
                setattr(numbers, name, fits)
                self.assertEqual(getattr(there_and_back(numbers), name), fits)
            for beyond in (low - 1, high + 1, 2**80, -(2**80)):
                self.refused(ValueError, f"Numbers.{name} is of type", lambda: setattr(numbers, name, beyond))  # noqa: B023
            self.assertEqual(getattr(numbers, name), high)

    def test_a_wrong_type_is_named_with_its_field(self):
        numbers = Numbers()
        self.refused(TypeError, "Numbers.u16 is of type UInt16, and cannot be 1.5, of type float", lambda: setattr(numbers, "u16", 1.5))
        self.refused(TypeError, "Numbers.u16", lambda: setattr(numbers, "u16", True))
        self.refused(TypeError, "Numbers.b is of type Bool", lambda: setattr(numbers, "b", 1))
        self.refused(TypeError, "Numbers.f64 is of type Float64", lambda: setattr(numbers, "f64", "1"))
        self.refused(TypeError, "Numbers.colour is of type Colour", lambda: setattr(numbers, "colour", 1))
        self.refused(TypeError, "Inner.name is of type Text", lambda: Inner(name=b"x"))
        self.refused(TypeError, "Lists.structs is of type Inner", lambda: Lists(structs=[Choice()]))
        self.refused(TypeError, "Lists.texts", lambda: Lists(texts="letters"))
        self.refused(ValueError, "not valid Unicode", lambda: Inner(name="\udc80"))
        self.refused(ValueError, "too large", lambda: setattr(numbers, "f64", 10**400))

    def test_there_are_no_other_attributes(self):
        self.refused(AttributeError, "Inner has no field 'b'", lambda: setattr(Inner(), "b", 1))
        self.refused(AttributeError, "Inner has no field 'b'", lambda: Inner(b=1))
        self.refused(TypeError, "by name", lambda: Inner(1))
        inner = Inner()
        with self.assertRaises(AttributeError):
            del inner.a

    def test_a_float32_is_what_it_will_be_when_it_is_read(self):
        numbers = Numbers(f32=0.1)
        self.assertNotEqual(numbers.f32, 0.1)
        self.assertEqual(there_and_back(numbers).f32, numbers.f32)
        self.assertTrue(math.isnan(there_and_back(Numbers(f64=math.nan)).f64))
        self.assertEqual(there_and_back(Numbers(f64=-0.0)).f64.hex(), "-0x0.0p+0")

    def test_lists_check_what_is_put_in(self):
        lists = Lists(smalls=[1, 2], structs=[Inner(a=1)])
        for action in (
            lambda: lists.smalls.append(128),
            lambda: lists.smalls.insert(0, 1000),
            lambda: lists.smalls.extend([1, 2, 300]),
            lambda: lists.smalls.__setitem__(0, -129),
            lambda: lists.smalls.__setitem__(slice(0, 1), [1, 500]),
            lambda: lists.smalls.__iadd__([999]),
        ):
            self.refused(ValueError, "Lists.smalls is of type Int8", action)
        self.assertEqual(list(lists.smalls), [1, 2])
        lists.smalls += [3]
        lists.smalls[0:1] = [7, 8]
        lists.smalls.sort(reverse=True)
        del lists.smalls[-1]
        self.assertEqual(list(there_and_back(lists).smalls), [8, 7, 3])
        self.refused(TypeError, "Lists.structs", lambda: lists.structs.append(3))
        with self.assertRaises(TypeError):
            lists.smalls *= 2
        self.assertEqual(type(lists.smalls), arenad.List)

    def test_a_list_that_was_filled_past_its_checks_is_not_written(self):
        lists = Lists(structs=[Inner()], smalls=[1])
        list.append(lists.structs, "no struct")
        self.refused(TypeError, "Lists.structs", lambda: arenad.encode(lists))
        lists = Lists()
        list.append(lists.smalls, 1000)
        self.refused(ValueError, "Lists.smalls", lambda: arenad.encode(lists))

    def test_what_is_in_two_places_would_be_two_afterwards(self):
        inner = Inner(a=1)
        lists = Lists(structs=[inner, inner])
        self.refused(ValueError, "the same Inner is in two places", lambda: arenad.encode(lists))
        lists.structs[1] = copy.copy(inner)
        self.assertEqual([one.a for one in there_and_back(lists).structs], [1, 1])
        tree = Tree(left=Tree())
        tree.left.left = tree
        self.refused(ValueError, "the same Tree", lambda: arenad.encode(tree))

    def test_moving_from_list_to_list_is_no_sharing(self):
        lists = Lists(structs=[Inner(a=i) for i in range(5)])
        lists.structs = [one for one in lists.structs if one.a % 2]
        self.assertEqual([one.a for one in there_and_back(lists).structs], [1, 3])


class Messages(unittest.TestCase):
    def test_every_kind_comes_back(self):
        numbers = Numbers(
            b=True, i8=-1, i16=-2, i32=-3, i64=-4, u8=1, u16=2, u32=3, u64=2**64 - 1, f32=1.5, f64=-2.25, colour=Colour.dark_blue
        )
        self.assertEqual(arenad.thaw(there_and_back(numbers)), numbers)
        lists = Lists(
            bools=[True, False] * 9 + [True],
            smalls=[-128, 127],
            bigs=[2**64 - 1, 0],
            floats=[0.5, -1.0],
            colours=[Colour.dark_blue, Colour.red],
            texts=["", "zwölf", "\0"],
            datas=[b"", b"\0\xff"],
            structs=[Inner(a=1, name="x"), Inner()],
            nested=[[1, 2], [], [65535]],
        )
        back = there_and_back(lists)
        self.assertEqual(arenad.thaw(back), lists)
        self.assertEqual([list(one) for one in back.nested], [[1, 2], [], [65535]])
        self.assertEqual(back.structs[0].name, "x")
        with self.assertRaises(IndexError):
            back.structs[2]
        self.assertEqual(copy.deepcopy(lists), lists)
        self.assertIsNot(copy.deepcopy(lists).structs[0], lists.structs[0])

    def test_what_is_written_is_what_others_read(self):
        self.assertEqual(same_by_compiler(Inner(a=7, name="x")), '(a = 7, name = "x")')
        self.assertEqual(same_by_compiler(Choice(before=1, pair=Choice.Pair(x=3, y=-4))), "(before = 1, pair = (x = 3, y = -4))")
        self.assertEqual(same_by_compiler(Choice(text="t")), '(before = 0, text = "t")')
        self.assertEqual(same_by_compiler(Lists(bools=[True, False], nested=[[1], [2, 3]])), "(bools = [true, false], nested = [[1], [2, 3]])")
        # It does not print texts that are not in the message.
        self.assertEqual(same_by_compiler(Defaults()), "(yes = true, minus = -7, half = 0.5, colour = darkBlue)")
        self.assertEqual(same_by_compiler(Tree(value=1, right=Tree(value=2))), "(value = 1, right = (value = 2))")

    def test_an_enumerant_that_only_a_later_schema_has_is_its_number(self):
        for value in (Lists(colours=[Colour.dark_blue]), Choice(before=1), Numbers(colour=Colour.dark_blue)):
            self.assertEqual(arenad.encode(arenad.thaw(there_and_back(value))), arenad.encode(value))
        later = bytearray(arenad.encode(Lists(colours=[Colour.dark_blue])))
        later[-8] = 69
        lists = arenad.thaw(arenad.decode(Lists, bytes(later)))
        self.assertEqual(list(lists.colours), [69])
        self.assertEqual(arenad.encode(lists), bytes(later))
        numbers = Numbers(colour=lists.colours[0])
        self.assertEqual(there_and_back(numbers).colour, 69)
        with self.assertRaises(TypeError):
            numbers.colour = 2**16

    def test_defaults_cost_nothing(self):
        for empty in (Numbers(), Defaults(), Lists(), Outer(), Grouped()):
            self.assertEqual(len(arenad.encode(empty)), 8, empty)
        self.assertEqual(len(arenad.encode(Numbers(b=True))), 16)
        # One of the last section, and the words before it.
        self.assertLess(len(arenad.encode(Lists(bools=[True]))), len(arenad.encode(Lists(nested=[[1]]))))
        defaults = there_and_back(Defaults())
        self.assertEqual((defaults.yes, defaults.minus, defaults.half, defaults.colour), (True, -7, 0.5, Colour.dark_blue))
        self.assertEqual((defaults.word, defaults.bytes), ("word", b"\n\x0b"))
        self.assertEqual(there_and_back(Defaults(yes=False, word="")).yes, False)

    def test_unions_have_one_field_at_a_time(self):
        choice = Choice()
        self.assertEqual(arenad.which(choice), "none")
        choice.number = 5
        self.assertEqual(arenad.which(choice), "number")
        choice.inner = Inner(a=1)
        with self.assertRaises(AttributeError):
            choice.number
        back = there_and_back(choice)
        self.assertEqual((arenad.which(back), back.inner.a), ("inner", 1))
        with self.assertRaises(AttributeError):
            back.text
        self.assertEqual(arenad.thaw(back), choice)
        self.assertNotEqual(choice, Choice(number=5))
        self.assertIsNone(arenad.which(Inner()))

    def test_groups_lie_in_their_struct(self):
        grouped = Grouped(after=3)
        grouped.place.x = 1.5
        grouped.place.tag = "here"
        back = there_and_back(grouped)
        self.assertEqual((back.place.x, back.place.y, back.place.tag, back.after), (1.5, 0.0, "here", 3))
        self.assertEqual(arenad.thaw(back), grouped)

    def test_structs_of_their_own_kind_are_none_at_first(self):
        tree = Tree(value=1, left=Tree(value=2))
        self.assertIsNone(tree.right)
        back = there_and_back(tree)
        self.assertEqual((back.left.value, back.right), (2, None))
        tree.left = None
        self.assertIsNone(there_and_back(tree).left)

    def test_names_are_python_s(self):
        outer = Outer(class_=1, hit_points_left=2, kind=Outer.Kind.fancy)
        outer.nested.value = 9
        self.assertEqual(there_and_back(outer).nested.value, 9)
        self.assertEqual(type(outer.nested), Outer.Nested)
        self.assertEqual((ANSWER, GREETING), (42, "hello"))
        self.assertEqual(repr(Inner(a=1, name="x")), "Inner(a=1, name='x')")
        self.assertEqual(repr(there_and_back(Inner(a=1))), "Inner(a=1, name='')")

    def test_readers_cannot_be_changed_and_outlive_what_they_were_read_from(self):
        read = there_and_back(Lists(structs=[Inner(a=i, name=str(i)) for i in range(100)])).structs[99]
        gc.collect()
        self.assertEqual((read.a, read.name), (99, "99"))
        with self.assertRaises(AttributeError):
            read.a = 1
        changed = arenad.thaw(read)
        changed.a = 1
        self.assertEqual(read.a, 99)
        # A reader can be assigned: it becomes a copy.
        lists = Lists(structs=[read])
        lists.structs[0].a = 5
        self.assertEqual(read.a, 99)

    def test_garbage_is_refused_and_nothing_else_happens(self):
        dice = random.Random(1)
        good = bytearray(arenad.encode(Lists(structs=[Inner(a=1, name="x")] , texts=["a", "b"], nested=[[1], [2]])))
        refused = 0
        for _ in range(3000):
            bad = bytearray(good)
            for _ in range(dice.randint(1, 4)):
                bad[dice.randrange(len(bad))] = dice.randrange(256)
            try:
                arenad.thaw(arenad.decode(Lists, bytes(bad)))
            except ValueError:
                refused += 1
        self.assertGreater(refused, 100)
        for bad in (b"", b"x", b"1234567"):
            with self.assertRaises(ValueError):
                arenad.decode(Inner, bad)
        with self.assertRaises(TypeError):
            arenad.decode(int, b"12345678")
        with self.assertRaises(TypeError):
            arenad.encode(5)

    def test_nothing_is_kept(self):
        def play():
            for _ in range(200):
                lists = Lists(structs=[Inner(a=i) for i in range(20)], texts=["x"] * 3)
                lists.structs = list(lists.structs)[5:]
                arenad.thaw(there_and_back(lists))
                copy.deepcopy(lists)
                try:
                    lists.smalls.append(1000)
                except ValueError:
                    pass

        play()
        gc.collect()
        before = len(gc.get_objects())
        play()
        gc.collect()
        self.assertLess(len(gc.get_objects()) - before, 50)


if __name__ == "__main__":
    unittest.main()
