"""The typed objects: what they take, what they refuse and how they say it, and that messages come back as they went."""

import copy
import enum
import gc
import math
import random
import subprocess
import unittest
from pathlib import Path

import arenad
from everything.everything_capnp import (
    ANSWER,
    BLOB,
    FAVOURITE,
    GREETING,
    Chain,
    Choice,
    Colour,
    Defaults,
    Grouped,
    Inner,
    Lists,
    Naming,
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

    def test_numbers_that_are_too_large_are_told_with_the_field(self):
        numbers = Numbers()
        self.refused(ValueError, "Numbers.f32 is of type Float32, and cannot be 1e+39", lambda: setattr(numbers, "f32", 1e39))
        numbers.f32 = math.inf
        self.assertEqual(there_and_back(numbers).f32, math.inf)
        self.refused(ValueError, "Numbers.u8 is of type UInt8", lambda: setattr(numbers, "u8", 10**5000))
        self.refused(ValueError, "Numbers.f64 is of type Float64", lambda: setattr(numbers, "f64", 10**5000))

    def test_of_texts_and_data_of_other_classes_what_is_in_them_is_kept(self):
        class Name(str, enum.Enum):
            ANN = "ann"

        class Bytes(bytes):
            pass

        inner = Inner(name=Name.ANN)
        self.assertIs(type(inner.name), str)
        self.assertEqual(f"{inner.name}", f"{there_and_back(inner).name}")
        lists = Lists(texts=[Name.ANN], datas=[Bytes(b"x")])
        self.assertIs(type(lists.texts[0]), str)
        self.assertIs(type(lists.datas[0]), bytes)
        self.assertIs(type(Defaults(bytes=Bytes(b"x")).bytes), bytes)

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

    def test_long_chains_are_freed_and_leave_others_alone(self):
        others = [Inner(a=i) for i in range(1000)]
        for length in (49, 50, 51, 52, 100, 1000, 100_000):
            chain = None
            for i in range(length):
                chain = Chain(next=chain, at=Inner(a=i))
            del chain
            self.assertEqual([one.a for one in others], list(range(1000)))
        nested = Inner(a=7)
        for _ in range(100):
            nested = [nested]
        del nested
        self.assertEqual([one.a for one in others], list(range(1000)))

    def test_what_is_deeper_than_it_can_be_read_is_not_written(self):
        def chain(length):
            value = Chain()
            for _ in range(length - 1):
                value = Chain(next=value)
            return value

        deepest = chain(32)
        self.assertEqual(there_and_back(deepest), deepest)
        self.assertEqual(arenad.thaw(there_and_back(deepest)), deepest)
        for length in (33, 34, 64, 65, 1000, 20_000):
            with self.assertRaisesRegex(ValueError, "Chain lies deeper in what is written than the 32 levels"):
                arenad.encode(chain(length))
        # And the next one is written as ever.
        self.assertEqual(there_and_back(deepest), deepest)
        with self.assertRaises(ValueError):
            loop = Chain()
            loop.next = loop
            arenad.encode(loop)

    def test_a_copy_of_what_has_no_end_is_an_exception(self):
        loop = Chain()
        loop.next = loop
        for call in (copy.copy, copy.deepcopy, arenad.thaw):
            with self.assertRaises(RecursionError):
                call(loop)
        loop.next = None

    def test_long_lists_of_defaults_can_be_read(self):
        for count in (0, 1, 4, 5, 60, 100, 10_000):
            lists = Lists(structs=[Inner() for _ in range(count)])
            self.assertEqual(there_and_back(lists), lists)
            self.assertEqual(arenad.thaw(there_and_back(lists)), lists)

    def test_readers_are_equal_if_what_is_in_them_is(self):
        lists = Lists(texts=["a", "b"], structs=[Inner(a=3), Inner(a=4)], bigs=[1, 2, 3, 2])
        read = there_and_back(lists)
        self.assertEqual(read, lists)
        self.assertEqual(lists, read)
        self.assertEqual(read, there_and_back(lists))
        self.assertNotEqual(read, Lists())
        self.assertNotEqual(read, 5)
        self.assertEqual(read.texts, ["a", "b"])
        self.assertEqual(["a", "b"], read.texts)
        self.assertNotEqual(read.texts, ["a"])
        self.assertEqual(read.structs[0], Inner(a=3))
        self.assertEqual(read.structs, lists.structs)
        self.assertIn(Inner(a=4), read.structs)
        with self.assertRaises(TypeError):
            hash(read)
        with self.assertRaises(TypeError):
            hash(read.bigs)

    def test_lists_that_are_read_are_sequences(self):
        read = there_and_back(Lists(bigs=[5, 6, 7, 6])).bigs
        self.assertEqual(read[-1], 6)
        self.assertEqual(read[1:3], [6, 7])
        self.assertEqual(read[::-2], [6, 6])
        self.assertEqual(read[10:], [])
        self.assertEqual(read.index(6), 1)
        self.assertEqual(read.count(6), 2)
        self.assertEqual(list(reversed(read)), [6, 7, 6, 5])
        for wrong in (4, -5):
            with self.assertRaises(IndexError):
                read[wrong]
        with self.assertRaises(ValueError):
            read.index(99)
        with self.assertRaisesRegex(TypeError, "by a number or a slice"):
            read["a"]

    def test_names_are_python_s(self):
        outer = Outer(class_=1, hit_points_left=2, kind=Outer.Kind.fancy)
        outer.nested.value = 9
        self.assertEqual(there_and_back(outer).nested.value, 9)
        self.assertEqual(type(outer.nested), Outer.Nested)
        self.assertEqual((ANSWER, GREETING, BLOB), (42, "hello", b"\x01\x02"))
        self.assertIs(FAVOURITE, Colour.dark_blue)
        # A group that is called as what the class has anyway.
        self.assertEqual(there_and_back(Naming()).reader.x, 0)
        self.assertIsInstance(there_and_back(Naming()), Naming.Reader)
        self.assertIsInstance(Naming().reader, Naming.Reader_)
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
