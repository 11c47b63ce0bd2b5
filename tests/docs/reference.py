"""The tables of docs/configuration.md, made from the code.

``python -m tests.docs.reference`` writes them into the page.
"""

from __future__ import annotations

import dataclasses
import re
import typing

from nullspend_margins.config import reference_rows
from nullspend_margins.config.sections import describe
from nullspend_margins_stripe.settings import StripeSettings
from tests.docs.pages import DOCS

PAGE = DOCS / "configuration.md"
Row = tuple[str, str, str, str, str]


def product_rows() -> list[Row]:
    """Key, type, default, help and unit of every key of the product."""
    return [(row.key, row.type, row.default, row.help, row.unit) for row in reference_rows()]


def stripe_rows() -> list[Row]:
    """The same of the keys of ``[plugins.stripe]``."""
    kinds = typing.get_type_hints(StripeSettings)
    return [
        (
            f"plugins.stripe.{field.name}",
            describe(kinds[field.name]),
            f'"{field.default}"' if isinstance(field.default, str) else str(field.default),
            field.metadata["help"],
            field.metadata["unit"],
        )
        for field in dataclasses.fields(StripeSettings)
    ]


def table_of(rows: list[Row]) -> str:
    """A Markdown table."""
    lines = ["| key | type | default | unit | |", "|---|---|---|---|---|"]
    for key, kind, default, text, unit in rows:
        shown = f"`{default}`" if default else "none"
        lines.append(f"| `{key}` | {kind} | {shown} | {unit} | {text.rstrip('.')}. |")
    return "\n".join(lines)


TABLES = {"reference": product_rows, "stripe": stripe_rows}


def embedded(page: str, name: str) -> str:
    """The table between the markers of ``name``."""
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)\n?<!-- {name}: end -->", page, re.DOTALL)
    if found is None:
        raise ValueError(f"{PAGE.name} has no markers of {name}")
    return found[1]


def with_tables(page: str) -> str:
    """The page with every table made anew."""
    for name, rows in TABLES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = page.partition(begin)
        after = rest.partition(end)[2]
        page = f"{before}{begin}\n{table_of(rows())}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
