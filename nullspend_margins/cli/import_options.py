"""The options of ``import-costs``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nullspend_margins.cli.options import org_option


class Format(StrEnum):
    """What the file is."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    FOCUS = "focus"


class Unit(StrEnum):
    """What the costs are in."""

    USD = "usd"
    CENTS = "cents"
    MICRODOLLARS = "microdollars"
    NANODOLLARS = "nanodollars"


class Delimiter(StrEnum):
    """What stands between the fields of a CSV file."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"
    PIPE = "pipe"


class Category(StrEnum):
    """The charge categories of FOCUS."""

    USAGE = "Usage"
    PURCHASE = "Purchase"
    TAX = "Tax"
    CREDIT = "Credit"
    ADJUSTMENT = "Adjustment"


File = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet; gzip is unpacked.")
]
WholeOrg = Annotated[str | None, org_option("Whose costs they are.")]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="NAME",
        help="Where they are from: a file replaces what came under the same name.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="What the file is.", show_default=False)
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="FIELD=COLUMN",
        help="Which column is what; FIELD= for none. May be repeated.",
        show_default=False,
    ),
]
CustomerTag = Annotated[
    str | None,
    typer.Option(
        "--customer-tag", metavar="KEY", help="The tag that is the customer.", show_default=False
    ),
]
UnitOption = Annotated[
    Unit | None, typer.Option("--unit", help="What the costs are in.", show_default=False)
]
DelimiterOption = Annotated[
    Delimiter | None,
    typer.Option("--delimiter", help="What separates the fields of CSV.", show_default=False),
]
Without = Annotated[
    list[Category] | None,
    typer.Option(
        "--without",
        help="Leave charges of a FOCUS category out. May be repeated.",
        show_default=False,
    ),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace", help="Remove what the source has in the file's months and the file has not."
    ),
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave rows with problems out.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Store nothing, tell what would change.")]
