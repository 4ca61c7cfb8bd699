"""Makes `from .duel_capnp import Aim` work: a module NAME_capnp is made of the schema NAME.capnp that lies beside it.

In a packed game the schema has been compiled (NAME.capnp.bin); at the desk `capnp compile` does it when it is imported. The modules of schemas that it imports
itself are made before it, so a struct is the same class everywhere.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pkgutil
import posixpath
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import _arenad

_SUFFIX = "_capnp"
_OWN_SCHEMAS = Path(__file__).parent.parent / "schema"  # what a game's schema imports as "/arenad/..."


class SchemaError(ImportError):
    """A schema that cannot be compiled, with what the compiler said."""


def compile_schema(path: Path) -> bytes:
    """The compiled form of a schema: a CodeGeneratorRequest (capnp/schema.capnp) in stream framing."""
    import subprocess  # not in a worker

    whole = Path(os.path.abspath(path))
    command = ["capnp", "compile", "-o-", f"--src-prefix={_outside_of_packages(whole)}", str(whole)]
    if _OWN_SCHEMAS.is_dir():
        command.insert(2, f"-I{_OWN_SCHEMAS}")
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise SchemaError(f"{path} cannot be compiled: there is no `capnp`; it is in the package capnproto") from error
    if done.returncode != 0:
        raise SchemaError(f"{path} cannot be compiled:\n{done.stderr.decode(errors='replace').rstrip()}")
    return done.stdout


def _outside_of_packages(path: Path) -> Path:
    """Of a whole path. The folder that no `import` of a schema can leave: with its package, it may go up to another one of the same game."""
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


class _Loader(importlib.abc.Loader):
    def __init__(self, package: str, stem: str, folder: Sequence[str]) -> None:
        self._package = package
        self._stem = stem
        self._folder = folder

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        compiled = self._compiled()
        for imported in _arenad.imports(compiled):
            other = _module_of(self._package, imported)
            if other is not None and _is_there(other):
                importlib.import_module(other)
        names = _arenad.load_schema(compiled, module.__name__)
        module.__dict__.update(names)
        module.__dict__["__all__"] = list(names)

    def _compiled(self) -> bytes:
        source = self.source()
        if source is not None:
            return compile_schema(source)
        data = _data(self._package, self._stem + ".capnp.bin")
        assert data is not None  # the finder has seen it
        return data

    def source(self) -> Path | None:
        for folder in self._folder:
            path = Path(folder) / (self._stem + ".capnp")
            if path.is_file():
                return path
        return None


def _module_of(package: str, imported: str) -> str | None:
    """The module of a schema that one in this package imports: "maps/map.capnp" of duel is duel.maps.map_capnp. None: it is outside of all packages."""
    if imported.startswith("/"):
        return None
    *folders, file = posixpath.normpath(imported).split("/")
    parts = package.split(".")
    for folder in folders:
        if folder != "..":
            parts.append(folder)
        elif parts:
            parts.pop()
    return ".".join([*parts, file.removesuffix(".capnp") + _SUFFIX]) if parts else None


def _is_there(module: str) -> bool:
    if module in sys.modules:
        return True  # also one that is being imported: two schemas that import each other
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return False  # a folder that is no package


def _data(package: str, name: str) -> bytes | None:
    try:
        return pkgutil.get_data(package, name)
    except OSError:
        return None


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        if not name.endswith(_SUFFIX) or path is None:
            return None
        stem = name[: -len(_SUFFIX)]
        loader = _Loader(package, stem, path)
        if loader.source() is None and _data(package, stem + ".capnp.bin") is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, loader)


def install() -> None:
    """Once; before any game is imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
