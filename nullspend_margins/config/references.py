"""``env:NAME`` and ``file:PATH``: any string of the configuration may be kept elsewhere."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_ENV, _FILE = "env:", "file:"
KeyPath = tuple[str | int, ...]
_LEFT_OUT: Final = object()


class Referenced(str):
    """A string that came from ``source``, an ``env:`` or ``file:`` reference."""

    __slots__ = ("source",)

    source: str

    def __new__(cls, value: str, source: str) -> Self:
        """``value``, as ``source`` gave it."""
        made = super().__new__(cls, value)
        made.source = source
        return made


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that leads nowhere: where it stands, and what is wrong."""

    path: KeyPath
    problem: str

    @property
    def key(self) -> str:
        """The place as people write it: ``session.secret_keys[0]``."""
        return dotted(self.path)


def dotted(path: KeyPath) -> str:
    """A path as one key: ``("keys", 0)`` is ``keys[0]``."""
    written = ""
    for part in path:
        separator = "." if written else ""
        written += f"[{part}]" if isinstance(part, int) else f"{separator}{part}"
    return written


def resolve(
    table: Mapping[str, object], base: Path, *, optional: Collection[KeyPath] = ()
) -> tuple[dict[str, object], list[Missing]]:
    """``table`` with every reference replaced by what it refers to.

    Files are relative to ``base``; the white space at a file's end is no part of the value.
    References that lead nowhere are listed. Below the keys in ``optional`` they are left out, as
    if nobody had written them; elsewhere they stay.
    """
    resolver = _Resolver(base, optional)
    return resolver.table(table, ()), resolver.missing


class _Resolver:
    def __init__(self, base: Path, optional: Collection[KeyPath]) -> None:
        self.missing: list[Missing] = []
        self._base = base
        self._optional = optional

    def table(self, table: Mapping[str, object], path: KeyPath) -> dict[str, object]:
        """A copy with references looked up, at every depth."""
        found = {key: self._value(value, (*path, key)) for key, value in table.items()}
        return {key: value for key, value in found.items() if value is not _LEFT_OUT}

    def _value(self, value: object, path: KeyPath) -> object:
        if isinstance(value, Mapping):
            return self.table(value, path)
        if isinstance(value, list | tuple):
            found = [self._value(item, (*path, index)) for index, item in enumerate(value)]
            return [item for item in found if item is not _LEFT_OUT]
        if isinstance(value, Referenced) or not isinstance(value, str):
            return value
        try:
            return _look_up(value, self._base)
        except LookupError as problem:
            self.missing.append(Missing(path, str(problem)))
            optional = any(path[: len(key)] == key for key in self._optional)
            return _LEFT_OUT if optional else value


def _look_up(value: str, base: Path) -> str:
    """What ``value`` refers to, itself when it is no reference. ``LookupError``: nothing."""
    if value.startswith(_ENV):
        name = value.removeprefix(_ENV)
        found = os.environ.get(name, "")
        if not found:
            state = "is empty" if name in os.environ else "is not set"
            raise LookupError(f"the environment variable {name} {state}")
    elif value.startswith(_FILE):
        file = base / value.removeprefix(_FILE)
        try:
            found = file.read_text("utf-8").rstrip()
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
            raise LookupError(f"the file {file} cannot be read: {reason}") from problem
        if not found:
            raise LookupError(f"the file {file} is empty")
    else:
        return value
    return Referenced(found, value)
