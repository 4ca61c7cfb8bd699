"""A schema that imports another one: a struct is the same class in both modules, whichever is imported first, and in stub files too."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import arenad
from arenad.stubs import write_stubs
from imports.battle_capnp import Battle
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


if __name__ == "__main__":
    unittest.main()
