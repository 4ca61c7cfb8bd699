"""What stub files say of fields that take more than they give: a list field gives a List, and takes anything iterable."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

Read = TypeVar("Read")
Given = TypeVar("Given")


class Field(Generic[Read, Given]):
    """For type checkers only: the classes of a schema are made in C++."""

    def __get__(self, owner: Any, kind: Any = None) -> Read:
        raise NotImplementedError

    def __set__(self, owner: Any, given: Given) -> None:
        raise NotImplementedError
