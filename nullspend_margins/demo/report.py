"""What the demo prints: drawn on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from nullspend_margins.demo.seed import Advance, Seeded

_TABLE = "/api/margins"
_TIERS = ("healthy", "moderate", "at_risk", "critical")
_COLOURS = {"healthy": "green", "moderate": "yellow", "at_risk": "dark_orange", "critical": "red"}


class Report:
    """Writes to ``console``; nothing that is meant to be copied is wrapped."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    @property
    def is_terminal(self) -> bool:
        """Somebody is looking."""
        return self._console.is_terminal

    def line(self, text: str = "", *, style: str = "") -> None:
        """One line, however long, at once."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    @contextmanager
    def progress(self, total: int) -> Iterator[Advance]:
        """While cost events are sent: a bar on a terminal, else one line."""
        if not self.is_terminal:
            self.line(f"Sending {total:,} cost events ...")
            yield lambda _count: None
            return
        columns = (TextColumn("Sending cost events"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task("events", total=total)
            yield lambda count: bar.advance(task, count)

    def summary(self, seeded: Seeded, *, customers: int, invoices: int) -> None:
        """What there is now, in numbers that the API gave."""
        facts = dict(_facts(seeded, customers, invoices))
        if not self.is_terminal:
            for name, value in facts.items():
                self.line(f"{name}: {value}")
            return
        grid = Table.grid(padding=(0, 2))
        for name, value in facts.items():
            grid.add_row(Text(name, style="bold"), _coloured(value))
        self._console.print(grid)

    def invitation(self, url: str, link: str, cookie: str, tag_value: str) -> None:
        """How to look at it: a link to the pages, and commands that can be pasted."""
        self.line()
        self.line(f"Open {link}", style="bold")
        self.line()
        self.line("Or ask the API, by one of these:")
        for path in (_TABLE, f"{_TABLE}?format=csv", f"{_TABLE}/{quote(tag_value, safe='')}"):
            self.line(f"  curl -s -b {shlex.quote(cookie)} {shlex.quote(url + path)}")
        self.line()
        self.line("Ctrl-C stops the demo; nothing is kept.", style="dim")


def _facts(seeded: Seeded, customers: int, invoices: int) -> Iterator[tuple[str, str]]:
    rows = seeded.table["customers"]
    tiers = Counter(row["healthTier"] for row in rows)
    yield "Customers", f"{customers} in Stripe, {len(rows)} in this month's table"
    yield "Cost events", f"{seeded.inserted_events:,} over four months"
    yield "Invoices", f"{invoices} in Stripe"
    yield "Sync", _synced(seeded.sync)
    yield "Health", ", ".join(f"{tiers[tier]} {tier}" for tier in _TIERS)
    yield "To look at", _to_look_at(seeded.unmatched)


def _synced(report: Mapping[str, Any]) -> str:
    skipped = _currencies(report["skippedCurrencies"])
    return (
        f"{report['invoicesFetched']} paid invoices in {report['durationMs']} ms, "
        f"{report['invoicesSkipped']} skipped{skipped}; "
        f"{report['customersProcessed']} customers, {report['autoMatchesCreated']} auto-matches"
    )


def _to_look_at(unmatched: Mapping[str, Any]) -> str:
    return (
        f"{len(unmatched['unmatchedStripeCustomers'])} unmatched customers, "
        f"{len(unmatched['unmappedTagValues'])} unmapped tag values, "
        f"{len(unmatched['pendingAutoMatches'])} auto-matches to confirm"
    )


def _currencies(skipped: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} in {code.upper()}" for code, count in sorted(skipped.items()))
    return f" ({told})" if told else ""


def _coloured(value: str) -> Text:
    text = Text(value)
    for tier, colour in _COLOURS.items():
        text.highlight_regex(rf"\d+ {tier}", style=colour)
    return text
