"""A schema that imports another one: a struct is the same class in both modules, whichever is imported first, and in stub files too."""

import importlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import arenad
from arenad.stubs import write_stubs
from imports.battle_capnp import HOME, Battle
from imports.map_capnp import Ground, Point
from imports.units.unit_capnp import Unit

OWN = Path(arenad.__file__).parent
PACKAGE = Path(__file__).parent / "imports"


class Importing(unittest.TestCase):
    def test_a_struct_is_one_class(self):
        battle = Battle(
            start=Point(x=1, y=2, kind=Point.Kind(ground=Ground.deep_sand)),
            path=[Point(x=3)],
            units=[Unit(at=Point(y=4), likes=Ground.deep_sand)],
            ground=Ground.deep_sand,
        )
        self.assertIs(type(Battle().start), Point)
        self.assertIs(type(battle.units[0].at), Point)
        battle.start = battle.path.pop()
        back = arenad.decode(Battle, arenad.encode(battle))
        self.assertIs(type(back.start), Point.Reader)
        self.assertIs(type(back.units[0]), Unit.Reader)
        self.assertIs(HOME, Ground.deep_sand)
        self.assertIs(back.ground, Ground.deep_sand)
        self.assertEqual(arenad.thaw(back), battle)
        self.assertEqual(Unit(at=back.start).at, Point(x=3))
        with self.assertRaisesRegex(TypeError, "Battle.start is of type Point, and cannot be"):
            battle.start = Unit()

    def test_it_is_the_class_of_its_own_module(self):
        self.assertEqual((Point.__module__, Unit.__module__), ("imports.map_capnp", "imports.units.unit_capnp"))
        first_of_all = "from imports.units.unit_capnp import Unit; from imports.map_capnp import Point; assert type(Unit().at) is Point"
        subprocess.run([sys.executable, "-B", "-c", "import arenad; " + first_of_all], check=True)

    def test_stub_files_name_it_by_its_module(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run(["cp", "-r", str(PACKAGE), str(folder)], check=True)
            write_stubs(folder / "imports")
            for missing in ("map_capnp.pyi", "battle_capnp.pyi", "units/unit_capnp.pyi"):
                self.assertTrue((folder / "imports" / missing).is_file(), missing)
            (folder / "arenad").symlink_to(OWN)
            (folder / "_arenad.pyi").symlink_to(OWN.resolve().parent / "_arenad.pyi")
            (folder / "use.py").write_text(
                "from imports.battle_capnp import Battle\n"
                "from imports.map_capnp import Ground, Point\n"
                "from imports.units.unit_capnp import Unit\n"
                "battle = Battle(start=Point(x=1), units=[Unit(at=Point())], ground=Ground.grass)\n"
                "def read(event: Battle.Reader) -> int:\n"
                "    battle.start = event.start\n"
                "    return event.units[0].at.x + battle.path[0].y\n"
                "battle.start = Unit()\n"
            )
            said = subprocess.run(
                ["/usr/bin/mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder / "cache"), "use.py"],
                cwd=folder,
                env=dict(os.environ, MYPYPATH=str(folder)),
                capture_output=True,
                text=True,
                check=False,
            ).stdout.splitlines()
        self.assertEqual(len(said), 1, said)
        self.assertTrue(said[0].startswith("use.py:8:") and "Unit" in said[0], said)

    def test_a_package_that_cannot_be_imported_is_told_and_not_passed_over(self):
        with tempfile.TemporaryDirectory() as name:
            package = Path(name) / "broken"
            (package / "units").mkdir(parents=True)
            (package / "__init__.py").touch()
            (package / "units" / "__init__.py").write_text("import nothing_is_called_so\n")
            (package / "units" / "unit.capnp").write_text("@0xc3b5d7f1a2e49086;\nstruct Unit { a @0 :UInt8; }\n")
            (package / "battle.capnp").write_text(
                '@0x8f1d2c3b4a596877;\nusing U = import "units/unit.capnp";\nstruct Battle { unit @0 :U.Unit; }\n'
            )
            sys.path.insert(0, name)
            self.addCleanup(sys.path.remove, name)
            with self.assertRaisesRegex(ModuleNotFoundError, "nothing_is_called_so"):
                importlib.import_module("broken.battle_capnp")

    def test_a_struct_of_a_schema_outside_of_the_package_has_no_name_in_stub_files(self):
        with tempfile.TemporaryDirectory() as name:
            package = Path(name) / "two"
            package.mkdir()
            (package / "__init__.py").touch()
            (Path(name) / "common.capnp").write_text("@0xd9e8f7a6b5c40312;\nstruct Shared { a @0 :UInt8; }\n")
            for schema, number in (("first", "0xa1b2c3d4e5f60718"), ("second", "0xb1b2c3d4e5f60719")):
                (package / f"{schema}.capnp").write_text(
                    f'@{number};\nusing C = import "../common.capnp";\nstruct Own {{ shared @0 :C.Shared; }}\n'
                )
            sys.path.insert(0, name)
            self.addCleanup(sys.path.remove, name)
            for path in write_stubs(package):
                self.assertIn("shared: _Any\n", path.read_text())
            first = importlib.import_module("two.first_capnp").Own()
            second = importlib.import_module("two.second_capnp").Own(shared=first.shared)
            second.shared.a = 5
            self.assertEqual(first.shared.a, 5)


if __name__ == "__main__":
    unittest.main()
