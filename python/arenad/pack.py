"""Makes one file of a game: the host's shared object with the game behind it, as a zip archive that Python imports from where it lies.

What is in it is all that runs: Arenad's package, the game's package, its schemas compiled, all of it also as bytecode. So a version of a game is one file, which
arenad copies, keeps, loads and takes back as it does a game in C++.
"""

from __future__ import annotations

import importlib.util
import io
import marshal
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from .schema_import import compile_schema

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same sources make the same file
_OWN_PACKAGE = Path(__file__).parent
_NOT_NEEDED_THERE = {"pack.py", "desk.py", "stubs.py", "__main__.py", "new_game.py", "commands.py"}


class PackError(Exception):
    """What is wrong with a folder that was to be packed."""


def default_host() -> Path:
    """The host that lies beside this package."""
    return _OWN_PACKAGE.parent / "python_host.so"


def find_package(folder: Path) -> Path:
    """The game's package: the folder itself, or the one folder in it that is a package."""
    if folder.name in ("", ".."):
        folder = folder.resolve()  # a package has a name
    if (folder / "__init__.py").is_file():
        return folder
    packages = sorted(one.parent for one in folder.glob("*/__init__.py") if one.parent.name != "tests")
    if len(packages) != 1:
        named = ", ".join(one.name for one in packages) or "none"
        raise PackError(f"{folder} must be a Python package, or a folder with one in it; it has {named}")
    return packages[0]


class _Archive:
    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._zip = zipfile.ZipFile(self._bytes, "w")

    def add(self, name: str, data: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(name, _EPOCH), data)

    def add_source(self, name: str, source: bytes, path: Path) -> None:
        try:
            code = compile(source, name, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise PackError(f"{path}:{error.lineno}: {error.msg}") from error
        self.add(name, source)
        # PEP 552: hash-based and unchecked, since nobody changes the source behind it.
        magic: bytes = importlib.util.MAGIC_NUMBER
        header = [magic, b"\1\0\0\0", bytes(importlib.util.source_hash(source))]
        self.add(name + "c", b"".join(header) + marshal.dumps(code))

    def add_package(self, package: Path, leave_out: frozenset[str] | set[str] = frozenset()) -> None:
        for path in sorted(package.rglob("*")):
            relative = path.relative_to(package.parent).as_posix()
            if "__pycache__" in path.parts or path.name in leave_out or not path.is_file():
                continue
            if path.suffix == ".py":
                self.add_source(relative, path.read_bytes(), path)
            elif path.suffix == ".capnp":
                self.add(relative + ".bin", compile_schema(path))
            elif path.suffix not in (".pyi", ".pyc"):
                self.add(relative, path.read_bytes())

    def finished(self) -> bytes:
        self._zip.close()
        return self._bytes.getvalue()


def pack(folder: Path, output: Path, schemas: list[Path], host: Path | None = None) -> None:
    """Packs the game in folder. schemas: those that lie elsewhere, and are put into the package. Errors: PackError, SchemaError, OSError."""
    package = find_package(folder)
    archive = _Archive()
    archive.add_source("arenad_packed.py", f"PACKAGE = {package.name!r}\n".encode(), package)
    archive.add_package(_OWN_PACKAGE, _NOT_NEEDED_THERE)
    archive.add_package(package)
    for schema in schemas:
        archive.add(f"{package.name}/{schema.name}.bin", compile_schema(schema))
    output.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when it is whole: an arenad may be about to read it.
    handle, unfinished = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            with (host or default_host()).open("rb") as source:
                shutil.copyfileobj(source, file)
            file.write(archive.finished())
            os.fchmod(file.fileno(), 0o644)
        os.rename(unfinished, output)
    except BaseException:
        os.unlink(unfinished)
        raise
