"""The configuration's reference table, generated from the model so that docs can't drift."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from nullspend_margins.config.model import Config
from nullspend_margins.config.secret import Secret
from nullspend_margins.config.sections import describe


class ReferenceRow(NamedTuple):
    """One key: dotted name, type in words, default as TOML (empty: none), help and unit."""

    key: str
    type: str
    default: str
    help: str
    unit: str


def reference_rows() -> list[ReferenceRow]:
    """Every key of the configuration, in the order of the model; plugins' own keys excepted."""
    rows = []
    hints = typing.get_type_hints(Config)
    for section in dataclasses.fields(Config):
        cls = hints[section.name]
        if not dataclasses.is_dataclass(cls):
            continue
        kinds = typing.get_type_hints(cls)
        rows += [
            _row(section.name, each, kinds[each.name])
            for each in dataclasses.fields(cls)
            if "help" in each.metadata
        ]
    return rows


def describe_with_bounds(kind: object, metadata: Mapping[Any, Any]) -> str:
    """The type of a field and what its metadata allows: ``a whole number, 1 to 64``."""
    least, most = metadata.get("at_least"), metadata.get("at_most")
    if least is not None and most is not None:
        return f"{describe(kind)}, {least:,} to {most:,}"
    bounds = f"at least {least:,}" if least is not None else ""
    bounds += f"at most {most:,}" if most is not None else ""
    return f"{describe(kind)}, {bounds}" if bounds else describe(kind)


def _row(section: str, declared: dataclasses.Field[object], kind: object) -> ReferenceRow:
    if declared.default_factory is not dataclasses.MISSING:
        default: object = declared.default_factory()
    else:
        default = declared.default
    return ReferenceRow(
        f"{section}.{declared.name}",
        describe_with_bounds(kind, declared.metadata),
        _toml(default),
        declared.metadata["help"],
        declared.metadata["unit"],
    )


def _toml(value: object) -> str:
    """The few defaults there are, as TOML."""
    if value is None or isinstance(value, Secret):
        return ""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int | Decimal):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return "{}"
