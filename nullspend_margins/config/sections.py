"""Reads a TOML table into a frozen dataclass, and says everything that is wrong with it.

A field's metadata may hold ``help`` and ``unit`` (for the reference in the docs), ``at_least``
and ``at_most`` (numbers) and ``check`` (a function from the value to what is wrong with it, or
``None``). ``setting`` writes them; a plain ``dataclasses.field(metadata=...)`` does as well. A
``ValueError`` from ``__post_init__`` is reported as a problem of the whole section.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from nullspend_margins.config.nearest import nearest, suggestion
from nullspend_margins.config.references import Referenced
from nullspend_margins.config.secret import Secret
from nullspend_margins.errors import ConfigurationError

T = TypeVar("T")
Number = int | Decimal

_NOUNS: dict[type, str] = {
    str: "a string",
    Secret: "a string",
    Path: "a string (a path)",
    int: "a whole number",
    Decimal: "a number",
    float: "a number",
    bool: "true or false",
}
_INSTEAD: dict[object, str] = {
    **dict.fromkeys((list, set, frozenset, tuple), "; write tuple[str, ...]"),
    **dict.fromkeys((dict, Mapping), "; write Mapping[str, str]"),
}


def setting(
    default: Any = dataclasses.MISSING,
    *,
    help: str,  # noqa: A002 - the word that the docs use
    unit: str = "",
    at_least: Number | None = None,
    at_most: Number | None = None,
    check: Callable[[Any], str | None] | None = None,
    factory: Callable[[], Any] | None = None,
    hidden: bool = False,
) -> Any:
    """A dataclass field with what the docs and the checks need. ``hidden`` keeps it from repr."""
    metadata = {
        "help": help,
        "unit": unit,
        "at_least": at_least,
        "at_most": at_most,
        "check": check,
    }
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata, repr=not hidden)
    return dataclasses.field(default=default, metadata=metadata, repr=not hidden)


def parse_section(
    cls: type[T], table: Mapping[str, object], where: str, *, path: Path | None = None
) -> T:
    """An instance of the dataclass ``cls`` from ``table``.

    ``where`` is the table's dotted key (``plugins.acme``) and ``path`` the file it stands in, for
    messages. Raises ``ConfigurationError`` with every problem, one a line.
    """
    problems: list[str] = []
    section = read_section(cls, table, where, problems)
    if section is None:
        place = f"{path}: " if path is not None else ""
        raise ConfigurationError("\n".join(place + problem for problem in problems))
    return section


def read_section(
    cls: type[T], table: Mapping[str, object], where: str, problems: list[str]
) -> T | None:
    """As ``parse_section``, but adds to ``problems`` and returns ``None`` if it found any.

    Raises ``TypeError`` for a ``cls`` that no table could be read into.
    """
    before = len(problems)
    hints = _hints(cls)
    fields = {each.name: each for each in dataclasses.fields(typing.cast("Any", cls)) if each.init}
    for key in table:
        if key not in fields:
            prefix = f"{where}." if where else ""
            guess = suggestion(key, fields, prefix=prefix)
            problems.append(f"{prefix}{key}: there is no such key. {guess}")
    values: dict[str, object] = {}
    for name, each in fields.items():
        key = f"{where}.{name}" if where else name
        if name in table:
            values[name] = _read_field(each, hints[name], table[name], key, problems)
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            problems.append(f"{key}: is missing; it must be {describe(hints[name])}")
    if len(problems) > before:
        return None
    try:
        return cls(**values)
    except ValueError as problem:
        problems.append(f"{where}: {problem}" if where else str(problem))
        return None


def _hints(cls: type) -> dict[str, Any]:
    """The types of the fields. Raises ``TypeError``, to who wrote ``cls``."""
    if not dataclasses.is_dataclass(cls):
        shown = getattr(cls, "__name__", repr(cls))
        raise TypeError(f"{shown} is no dataclass; put @dataclass(frozen=True, kw_only=True) on it")
    hints = typing.get_type_hints(cls)
    for each in dataclasses.fields(cls):
        if each.init and not _is_readable(hints[each.name]):
            kind = hints[each.name]
            place = f"{cls.__name__}.{each.name}: {inspect.formatannotation(kind)}"
            remedy = _INSTEAD.get(typing.get_origin(kind) or kind, "")
            raise TypeError(f"{place} can't be read from TOML{remedy}")
    return hints


def _is_readable(kind: Any) -> bool:
    """Whether ``_read`` knows what to do for it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        alternatives = [each for each in arguments if each is not type(None)]
        return len(alternatives) == 1 and _is_readable(alternatives[0])
    if origin is tuple:
        return arguments[1:] == (...,) and _is_readable(arguments[0])
    if origin in (Mapping, dict):
        return _is_readable(arguments[1])
    known = origin is typing.Literal or kind in (object, Any) or kind in _NOUNS
    return known or dataclasses.is_dataclass(kind)


def describe(kind: Any) -> str:
    """A type in the words of a message: ``a list of strings`` rather than ``tuple[str, ...]``."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return "one of " + ", ".join(f'"{each}"' for each in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(each) for each in arguments if each is not type(None))
    if origin is tuple:
        return f"a list, each item {describe(arguments[0])}"
    if dataclasses.is_dataclass(kind) or origin in (Mapping, dict):
        return "a table"
    return _NOUNS.get(kind, "a value")


def _read_field(
    declared: dataclasses.Field[Any], kind: Any, value: object, where: str, problems: list[str]
) -> object:
    before = len(problems)
    result = _read(kind, value, where, problems)
    if len(problems) > before:
        return None
    least, most = declared.metadata.get("at_least"), declared.metadata.get("at_most")
    if isinstance(result, int | Decimal | float):
        if least is not None and result < least:
            problems.append(f"{where}: must be at least {least}, not {result}")
        if most is not None and result > most:
            problems.append(f"{where}: must be at most {most}, not {result}")
    check = declared.metadata.get("check")
    wrong = check(result) if check is not None else None
    if wrong is not None:
        problems.append(f"{where}: {wrong}")
    return result


def _read(kind: Any, value: object, where: str, problems: list[str]) -> object:
    """``value`` as a ``kind``; on a problem the result means nothing."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in (object, Any):
        return value
    if origin in (typing.Union, types.UnionType):
        (kind,) = [each for each in arguments if each is not type(None)]
        return _read(kind, value, where, problems)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(
            _read(arguments[0], item, f"{where}[{index}]", problems)
            for index, item in enumerate(value)
        )
    if origin in (Mapping, dict) and isinstance(value, Mapping):
        read = {}
        for name, item in value.items():
            if quoted := _name_with_dots(arguments[1], name, item):
                problems.append(f'{where}.{quoted}: a name with a dot needs quotes: "{quoted}"')
            else:
                read[name] = _read(arguments[1], item, f"{where}.{name}", problems)
        return types.MappingProxyType(read)
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return read_section(typing.cast("type[object]", kind), value, where, problems)
    if origin is typing.Literal and value in arguments:
        return str(value) if isinstance(value, str) else value
    found = _scalar(kind, value)
    if found is None:
        problems.append(f"{where}: {_complaint(kind, value)}")
    return found


def _name_with_dots(kind: Any, name: str, item: object) -> str | None:
    """``gpt-4.1``, where TOML has read a table ``1`` in ``gpt-4``; ``None`` if it is none."""
    if not isinstance(item, Mapping):
        return None
    if not dataclasses.is_dataclass(kind):
        is_text = kind in _NOUNS or typing.get_origin(kind) is typing.Literal
        key = next(iter(item), None) if is_text else None
        return f"{name}.{_name_with_dots(kind, key, item[key]) or key}" if key else None
    known = [each.name for each in dataclasses.fields(kind)]
    for key, inner in item.items():
        if isinstance(inner, Mapping) and nearest(key, known) is None:
            return f"{name}.{_name_with_dots(kind, key, inner) or key}"
    return None


def _scalar(kind: Any, value: object) -> object | None:
    """A string, number or boolean as ``kind``; ``None`` when it is not one."""
    if isinstance(value, str):
        return _from_text(kind, value)
    if isinstance(value, bool):
        return value if kind is bool else None
    if kind is int:
        return value if isinstance(value, int) else None
    if kind in (Decimal, float) and isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return typing.cast("object", kind(number)) if number.is_finite() else None
    return None


def _from_text(kind: Any, value: str) -> object | None:
    if kind is str:
        return str(value)
    if kind in (Secret, Path):
        return typing.cast("object", kind(str(value))) if value else None
    if not isinstance(value, Referenced):
        return None
    # The environment has only strings: there, and only there, "8" may be a number.
    if kind is bool:
        return {"true": True, "false": False}.get(value.lower())
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if kind is int:
        return int(number) if number.is_finite() and number == int(number) else None
    return _scalar(kind, number)


def _complaint(kind: Any, value: object) -> str:
    """What is wrong, without the value: it may be a secret in the wrong place."""
    source = f" (from {value.source})" if isinstance(value, Referenced) else ""
    if typing.get_origin(kind) is typing.Literal:
        guess = "."
        if isinstance(value, str) and not source:
            guess = f'; "{value}" is not. {suggestion(value, typing.get_args(kind))}'
        return f"must be {describe(kind)}{source}{guess}"
    if value == "" and kind in (Secret, Path):
        return f"must not be empty{source}"
    hint = ""
    if isinstance(value, str) and kind in (int, Decimal, float, bool) and not source:
        hint = ". Leave the quotes away"
    if kind is str and isinstance(value, int | Decimal | date) and not isinstance(value, bool):
        hint = ". Put it in quotes"
    if typing.get_origin(kind) is tuple and isinstance(value, str):
        hint = '. Write it in brackets: ["..."]'
    return f"must be {describe(kind)}, not {_name_type(value)}{source}{hint}"


def _name_type(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    for kind, noun in ((str, "a string"), (int, "a whole number"), (Mapping, "a table")):
        if isinstance(value, kind):
            return noun
    if isinstance(value, Decimal | float):
        return "a number with decimals" if math.isfinite(value) else "nan or inf"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def number_from_toml(text: str) -> Decimal:
    """A TOML number with decimals, exact; ``inf`` and ``nan`` are refused where they are read."""
    return Decimal(text.replace("_", ""))
