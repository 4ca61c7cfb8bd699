"""Stub files say what the classes do: mypy takes what they take, and finds what they refuse."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import arenad
import everything.everything_capnp
from arenad.stubs import stub_of, write_stubs

OWN = Path(arenad.__file__).parent
TANKS = Path(__file__).parent.parent.parent / "examples" / "tanks_py" / "tanks_py"

GOOD = """
from everything.everything_capnp import ANSWER, Choice, Colour, Inner, Lists, Numbers, Outer, Tree
from arenad import List

numbers = Numbers(u8=1, f64=2, colour=Colour.red)
numbers.f32 = 1
lists = Lists(structs=[Inner(a=1)], texts=("a", "b"), nested=[[1], [2]])
lists.structs = [one for one in lists.structs if one.a]
lists.structs.append(Inner())
lists.smalls[0:2] = [1, 2]
kept: List[Inner] = lists.structs
tree = Tree(left=Tree())
if tree.left is not None:
    tree.left.value = ANSWER

def read(event: Lists.Reader, choice: Choice.Reader, outer: Outer.Reader) -> int:
    lists.structs = event.structs
    return event.structs[0].a + choice.pair.x + outer.nested.value + len(event.nested[0])
"""

BAD = {
    "Numbers(u8='x')": 'incompatible type "str"',
    "Numbers(colour=1)": 'incompatible type "int"',
    "Numbers(u9=1)": 'Unexpected keyword argument "u9"',
    "Inner().name = b''": 'variable has type "str"',
    "Inner().b = 1": '"Inner" has no attribute "b"',
    "Lists().structs.append(1)": 'incompatible type "int"',
    "Lists().structs = [1]": 'incompatible type "int"',
    "Tree().left.value = 1": 'Item "None"',
}


class Stubs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        package = self.path / "everything"
        package.mkdir()
        (package / "__init__.pyi").touch()
        (package / "everything_capnp.pyi").write_text(stub_of(everything.everything_capnp))
        (self.path / "arenad").symlink_to(OWN)
        (self.path / "_arenad.pyi").symlink_to(OWN.resolve().parent / "_arenad.pyi")

    def said_of(self, source):
        (self.path / "use.py").write_text(source)
        return subprocess.run(
            ["/usr/bin/mypy", "--strict", "--no-error-summary", "--cache-dir", str(self.path / "cache"), "use.py"],
            cwd=self.path,
            env=dict(os.environ, MYPYPATH=str(self.path)),
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    def test_good_code_is_good(self):
        self.assertEqual(self.said_of(GOOD), "")

    def test_each_mistake_is_found(self):
        imports = "from everything.everything_capnp import Inner, Lists, Numbers, Tree\n"
        said = self.said_of(imports + "\n".join(BAD)).splitlines()
        for line, (code, expected) in enumerate(BAD.items(), start=2):
            of_line = [one for one in said if one.startswith(f"use.py:{line}:")]
            self.assertTrue(any(expected in one for one in of_line), (code, of_line, said))

    def test_the_tanks_are_typed(self):
        shutil.copytree(TANKS, self.path / "tanks_py")
        write_stubs(self.path / "tanks_py")
        self.assertEqual(self.said_of("import tanks_py"), "")

    def test_the_package_itself_is_typed(self):
        self.assertEqual(self.said_of("import arenad\nimport arenad.commands\nimport arenad.desk\nimport arenad.host\n"), "")


if __name__ == "__main__":
    unittest.main()
