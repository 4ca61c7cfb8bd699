"""Writes what editors and mypy want to know of a schema: NAME_capnp.pyi beside NAME.capnp."""

from __future__ import annotations

import enum
import importlib
import sys
from pathlib import Path
from typing import Any

import _arenad

_NUMBERS = {"bool": "bool", "float32": "float", "float64": "float", "text": "str", "data": "bytes", "nothing": "None"}


def _alias(module: str) -> str:
    """A name that no field has."""
    return "_" + module.replace(".", "_")


class _Writer:
    def __init__(self, module: str, declared: list[str]) -> None:
        self._module = module
        self._declared = declared
        self.lines: list[str] = []
        self.others: set[str] = set()  # modules of schemas that this one imports
        self._field_names: set[str] = set()  # of the class that is written: they hide Python's own

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text if text else "")

    def class_name(self, of: Any) -> str:
        """As the stub calls it. A class of a schema that has no module here, Python has no name for."""
        name: str = of.__qualname__
        is_own = of.__module__ == self._module
        declared = self._declared if is_own else sys.modules[of.__module__].__all__
        if name.partition(".")[0] not in declared:
            return ""
        if is_own:
            return name
        self.others.add(of.__module__)
        return f"{_alias(of.__module__)}.{name}"

    def name_of(self, kind: str, of: Any, reading: bool) -> str:
        if kind == "list":
            element = self.name_of(of[0], of[1], reading)
            return f"_Sequence[{element}]" if reading else f"_List[{element}]"
        if kind in ("struct", "group", "enum"):
            name = self.class_name(of)
            return (name + ".Reader" if reading and kind != "enum" else name) if name else "_Any"
        name = _NUMBERS.get(kind, "int")
        return "_builtins." + name if name in self._field_names else name

    def given(self, kind: str, of: Any) -> str:
        """What may be assigned."""
        if kind == "list":
            return f"_Iterable[{self.given(of[0], of[1])}]"
        if kind in ("struct", "group"):
            name = self.class_name(of)
            return f"{name} | {name}.Reader" if name else "_Any"
        return self.name_of(kind, of, reading=False)

    def structure(self, depth: int, name: str, of: Any) -> None:
        self.line(depth, f"class {name}:")
        nested = [(key, one) for key, one in vars(of).items() if isinstance(one, type) and key != "Reader"]
        for key, one in nested:
            self.declaration(depth + 1, key, one)
        fields = _arenad.fields(of)
        self._field_names = {field for field, _, _, _ in fields}
        arguments = []
        for field, (kind, inner), _, nullable in fields:
            none = " | None" if nullable else ""
            given = self.given(kind, inner) + none
            arguments.append(f"{field}: {given} = ...")
            read = self.name_of(kind, inner, reading=False) + none
            self.line(depth + 1, f"{field}: {read}" if read == given else f"{field}: _Field[{read}, {given}]")
        star = "*, " if arguments else ""
        self.line(depth + 1, f"def __init__(self, {star}{', '.join(arguments)}) -> None: ...".replace("self, )", "self)"))
        self.line(depth + 1, "class Reader:")
        for field, (kind, inner), _, nullable in fields:
            self.line(depth + 2, "@property")
            self.line(depth + 2, f"def {field}(self) -> {self.name_of(kind, inner, reading=True)}{' | None' if nullable else ''}: ...")
        if not fields:
            self.line(depth + 2, "pass")

    def declaration(self, depth: int, name: str, of: Any) -> None:
        if isinstance(of, enum.EnumMeta):
            self.line(depth, f"class {name}(_IntEnum):")
            members: dict[str, enum.IntEnum] = dict(of.__members__)
            for key, value in members.items():
                self.line(depth + 1, f"{key} = {value.value}")
            if not members:
                self.line(depth + 1, "pass")
        elif isinstance(of, type):
            self.structure(depth, name, of)
        else:
            kind = self.class_name(type(of)) or "int" if isinstance(of, enum.Enum) else type(of).__name__
            self.line(depth, f"{name}: {kind}")


def stub_of(module: Any) -> str:
    """The text of the stub file of a module that was made of a schema."""
    writer = _Writer(module.__name__, module.__all__)
    for name in module.__all__:
        writer.declaration(0, name, getattr(module, name))
        writer.line(0, "")
    head = [
        "# Made from the schema by `arenad-python stubs`: do not edit.",
        "import builtins as _builtins",
        "from collections.abc import Iterable as _Iterable, Sequence as _Sequence",
        "from enum import IntEnum as _IntEnum",
        "from typing import Any as _Any",
        "",
        "from arenad import List as _List",
        "from arenad.field import Field as _Field",
        *(f"import {other} as {_alias(other)}" for other in sorted(writer.others)),
        "",
    ]
    return "\n".join(head + writer.lines).rstrip() + "\n"


def write_stubs(package: Path) -> list[Path]:
    """Of each schema in the package, which must be importable. The files written."""
    written = []
    for schema in sorted(package.rglob("*.capnp")):
        folder = ".".join(schema.parent.relative_to(package.parent).parts)
        module = importlib.import_module(f"{folder}.{schema.stem}_capnp")
        path = schema.parent / f"{schema.stem}_capnp.pyi"
        path.write_text(stub_of(module))
        written.append(path)
    return written
