"""How a file is to be read, as far as it does not say so itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Nothing given: everything is found out.

    ``columns`` has the column by field, ``""`` for none. ``customer_tag`` is the key of the
    customer among a row's tags. ``unit`` is one of ``UNITS``, ``delimiter`` one of
    ``DELIMITERS``, ``format`` is ``csv``, ``jsonl``, ``parquet`` or ``focus``. Charges of
    ``without`` (FOCUS categories) are left out.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    customer_tag: str | None = None
    unit: str | None = None
    delimiter: str | None = None
    org_id: str | None = None
    without: frozenset[str] = frozenset()
