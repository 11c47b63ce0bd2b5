"""All that is wrong with a body, not only the first thing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import ValidationFailed

_MOST_ISSUES = 50
# More than a body within every limit has; in a longer one, something was wrong before.
_MOST_LOOKED_AT = 5_000
_LONGEST_NAME = 64
# What is refused even where nothing is said about a value, in a field nobody reads.
_UNTELLABLE = "must not hold lone surrogates or numbers out of range"
_ELSEWHERE = "must not hold lone surrogates, numbers out of range, or a field twice"

_JSON_NAMES = {"int": "integer", "str": "string", "bool": "boolean"}

Issue = tuple[str, str]
_Looks = Iterator[Issue | None]
"""One for each value looked at: what is wrong with it, or ``None``."""


def rejection(value: object, wanted: Any) -> ValidationFailed:
    """Why decoded JSON ``value`` is no ``wanted``: every problem found, up to fifty.

    The search ends after some thousand values, so that a bad body costs no more than a good one.
    """
    looks = islice(_problems(value, wanted, ""), _MOST_LOOKED_AT)
    found = list(islice(filter(None, looks), _MOST_ISSUES))
    return ValidationFailed.of(*(found or [("", _ELSEWHERE)]))


def _problems(value: object, wanted: Any, path: str) -> _Looks:
    """Go down where JSON does, so that a path names the very field; let msgspec judge leaves."""
    kind = _without_none(wanted)
    shape = _bare(kind)
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        yield from _struct_problems(value, shape, path)
    elif get_origin(shape) is list and isinstance(value, list):
        yield from _own_problem([None] * len(value), _loose(kind, list), path)
        for index, item in enumerate(value):
            yield from _problems(item, get_args(shape)[0], f"{path}[{index}]")
    elif get_origin(shape) is dict and isinstance(value, dict):
        yield from _own_problem(value, _loose(kind, dict), path)
        key_type, value_type = get_args(shape)
        if value_type is Any:
            yield from _free_form_problem(value, path)
            return
        for key, item in value.items():
            inner = f"{path}.{_quotable(key)}"
            yield from _own_problem(key, key_type, inner)
            yield from _problems(item, value_type, inner)
    else:
        yield from _own_problem(value, wanted, path)


def _struct_problems(value: object, wanted: type[msgspec.Struct], path: str) -> _Looks:
    if not isinstance(value, dict):
        yield path, "must be a JSON object"
        return
    for field in _fields(wanted):
        inner = f"{path}.{field.encode_name}" if path else field.encode_name
        if field.encode_name not in value:
            if field.required:
                yield inner, "is required"
        elif value[field.encode_name] is not None or not _allows_none(field.type):
            yield from _problems(value[field.encode_name], field.type, inner)
    known = {field.encode_name for field in _fields(wanted)}
    yield from _free_form_problem({name: value[name] for name in value.keys() - known}, path)


@cache
def _fields(wanted: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Kept, because reading the annotations takes longer than judging what they say."""
    return msgspec.structs.fields(wanted)


def _own_problem(value: object, wanted: Any, path: str) -> _Looks:
    try:
        msgspec.convert(value, wanted)
        yield None
    except msgspec.ValidationError as problem:
        yield path, _readable(value, wanted, str(problem).partition(" - at ")[0])
    except UnicodeEncodeError:  # msgspec says the value, and cannot
        yield path, _UNTELLABLE


def _free_form_problem(value: object, path: str) -> _Looks:
    """Of a value that may be anything: what no JSON can be made of again."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        yield None
    except (ValueError, RecursionError):  # an error of encoding is a ValueError, too
        yield path, _UNTELLABLE


def _quotable(name: str) -> str:
    """A name that somebody made up, fit to be said back."""
    return name[:_LONGEST_NAME].encode(errors="replace").decode()


def _readable(value: object, wanted: Any, said: str) -> str:
    kind = _bare(_without_none(wanted))
    if get_origin(kind) is Literal:
        return f"must be one of {', '.join(map(str, get_args(kind)))}"
    if isinstance(value, str) and "matching regex" in said:
        return text_problem(value) or said.replace("Expected", "must be a")
    for python, name in _JSON_NAMES.items():
        said = re.sub(rf"\b{python}\b", name, said)
    return said.replace("Expected", "must be", 1).replace(", got", ", not", 1)


def _loose(kind: Any, container: type) -> Any:
    """The container's own limits, without those of what is in it."""
    if get_origin(kind) is not Annotated:
        return container
    return Annotated[(container, *kind.__metadata__)]


def _without_none(wanted: Any) -> Any:
    if get_origin(wanted) in (Union, UnionType):
        kinds = [kind for kind in get_args(wanted) if kind is not NoneType]
        return kinds[0] if len(kinds) == 1 else wanted
    return wanted


def _bare(kind: Any) -> Any:
    """A type without what is said about it."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _allows_none(wanted: Any) -> bool:
    return get_origin(wanted) in (Union, UnionType) and NoneType in get_args(wanted)
