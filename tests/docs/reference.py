"""The parts of the docs that are made from the code.

Keys of the configuration, the dashboard's pages, what the OpenAPI document says about each route,
and the types of bodies and answers. ``python -m tests.docs.reference`` writes them into their
pages; a test compares them.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from nullspend_margins.config import reference_rows
from nullspend_margins.config.reference_table import describe_with_bounds
from nullspend_margins.dashboard.routes import PAGES, PageLine
from nullspend_margins_csv.settings import CsvSettings
from nullspend_margins_litellm.settings import LiteLLMSettings
from nullspend_margins_slack.settings import SlackSettings
from nullspend_margins_sql.settings import Columns, SourceSettings, SqlSettings
from nullspend_margins_stripe.settings import StripeSettings
from nullspend_margins_webhook.settings import WebhookSettings
from tests.docs.openapi import Place, facts, types
from tests.docs.pages import DOCS

PAGE = DOCS / "configuration.md"
API_PAGE = DOCS / "api.md"
TYPES_PAGE = DOCS / "api-types.md"
DASHBOARD_PAGE = DOCS / "dashboard.md"
Row = tuple[str, str, str, str, str]

REQUIRED = "**required**"
"""In the place of a default: without this key the table stops the start."""

_ROUTE = r"### `([A-Z]+) (/\S+)`\n"
_ROUTES = re.compile(
    rf"((?:{_ROUTE}\n)*{_ROUTE})(?:\n<!-- route: begin -->\n.*?<!-- route: end -->\n)?", re.DOTALL
)


def product_rows() -> list[Row]:
    """Key, type, default, help and unit of every key of the product."""
    return [(row.key, row.type, row.default, row.help, row.unit) for row in reference_rows()]


def plugin_rows(name: str, settings: type[Any]) -> list[Row]:
    """The same of the keys of ``[plugins.NAME]``."""
    kinds = typing.get_type_hints(settings)
    return [
        (
            f"plugins.{name}.{field.name}",
            describe_with_bounds(kinds[field.name], field.metadata),
            _default(field),
            field.metadata["help"],
            field.metadata["unit"],
        )
        for field in dataclasses.fields(settings)
    ]


def sql_rows() -> list[Row]:
    """The same of ``[plugins.sql]``, whose tables have names and columns."""
    return [
        *plugin_rows("sql", SqlSettings),
        *plugin_rows("sql.sources.NAME", SourceSettings),
        *plugin_rows("sql.sources.NAME.columns", Columns),
    ]


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        value: object = field.default_factory() or None
    else:
        value = field.default
    if value is dataclasses.MISSING:
        return REQUIRED
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if value == ():
        return "[]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f'{name} = "{each}"' for name, each in value.items())
        return f"{{{pairs}}}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def table_of(rows: list[Row]) -> str:
    """A Markdown table."""
    lines = ["| key | type | default | unit | |", "|---|---|---|---|---|"]
    for key, kind, default, text, unit in rows:
        shown = f"`{default}`" if default not in ("", REQUIRED) else default or "none"
        lines.append(f"| `{key}` | {kind} | {shown} | {unit} | {text.rstrip('.')}. |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[], list[Row]]] = {
    "reference": product_rows,
    "stripe": partial(plugin_rows, "stripe", StripeSettings),
    "csv": partial(plugin_rows, "csv", CsvSettings),
    "webhook": partial(plugin_rows, "webhook", WebhookSettings),
    "slack": partial(plugin_rows, "slack", SlackSettings),
    "litellm": partial(plugin_rows, "litellm", LiteLLMSettings),
    "sql": sql_rows,
}


def configuration_page(page: str) -> str:
    """The page with the tables of keys made anew."""
    for name, rows in TABLES.items():
        page = _with_part(page, name, table_of(rows()))
    return page


def api_page(page: str) -> str:
    """The page with a table below the headings of every route."""

    def of_route(found: re.Match[str]) -> str:
        routes: list[Place] = re.findall(_ROUTE, found[1])
        return f"{found[1]}\n<!-- route: begin -->\n{facts(routes)}\n<!-- route: end -->\n"

    return _ROUTES.sub(of_route, page)


def types_page(page: str) -> str:
    """The page with all types."""
    return _with_part(page, "types", types())


def dashboard_page(page: str) -> str:
    """The page with the table of the dashboard's addresses."""
    lines = ["| | path | from the role | |", "|---|---|---|---|"]
    for line in PAGES:
        place = f"`{line.path}`" if line.path else ""
        role = line.role.name.lower()
        lines.append(f"| {line.method} | {place} | {role} | {_said_of(line)} |")
    return _with_part(page, "pages", "\n".join(lines))


def _said_of(line: PageLine) -> str:
    module, _, function = line.page.partition(".")
    pages = import_module(f"nullspend_margins.dashboard.pages.{module}")
    return str(getattr(pages, function).__doc__).partition("\n\n")[0].replace("\n   ", "").strip()


PARTS = {
    PAGE: configuration_page,
    API_PAGE: api_page,
    TYPES_PAGE: types_page,
    DASHBOARD_PAGE: dashboard_page,
}
"""How each page with such parts is made anew."""


def _with_part(page: str, name: str, text: str) -> str:
    """The page with ``text`` between the markers of ``name``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in page or end not in page:
        raise ValueError(f"there are no markers of {name}")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    for path, renewed in PARTS.items():
        path.write_text(renewed(path.read_text("utf-8")), "utf-8")
