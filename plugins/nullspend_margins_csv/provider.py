"""CSV files as a revenue provider: all of a file is read at every sync, and nothing is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nullspend_margins import (
    ConnectForm,
    Credential,
    Outbound,
    ProviderUnavailable,
    RevenueFact,
    RevenueWindow,
    ValidationFailed,
)
from nullspend_margins_csv.failures import NotThere
from nullspend_margins_csv.form import connect_form
from nullspend_margins_csv.problems import Problem
from nullspend_margins_csv.settings import CsvSettings
from nullspend_margins_csv.sources import Source, read_source
from nullspend_margins_csv.threads import in_thread

if TYPE_CHECKING:
    from nullspend_margins_csv.reading import Row

MOST_PROBLEMS = 20
"""As many are told to who connects a file."""


class CsvProvider:
    """Implements ``RevenueProvider``; errors and obligations are the protocol's.

    ``outbound`` gives the client that fetches URLs.
    """

    name = "csv"
    tells_all_services = True

    def __init__(self, settings: CsvSettings, *, outbound: Callable[[], Outbound]) -> None:
        self.connect_form: ConnectForm = connect_form(settings)
        self._settings = settings
        self._outbound = outbound

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        """One of ``content``, ``url`` and ``file``, checked for its form alone."""
        from nullspend_margins_csv.reading import count_rows

        source = read_source(
            body,
            has_folder=self._settings.folder is not None,
            url_problem=lambda url: self._outbound().url_problem(url),
        )
        label = source.label
        if source.where == "content":
            count = await in_thread(partial(count_rows, source.text))
            if isinstance(count, Problem):
                raise ValidationFailed.of((source.where, str(count)))
            label = f"{label} of {count:,} {'row' if count == 1 else 'rows'}"
        return Credential(secret=source.secret, label=label)

    async def check_credential(self, secret: str) -> None:
        """Read all of the file.

        Raises ``ValidationFailed`` with the first problems, since who connects it can mend it.
        """
        source = Source.of_secret(secret)
        found: list[Problem] = []
        try:
            async with aclosing(self._pages(source)) as pages:
                async for page in pages:
                    found += [row for row in page if isinstance(row, Problem)]
                    if len(found) >= MOST_PROBLEMS:
                        break
        except NotThere as problem:
            raise ValidationFailed.of((source.where, problem.message)) from None
        if found:
            issues = [(source.where, str(each)) for each in found[:MOST_PROBLEMS]]
            raise ValidationFailed.of(*issues)

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        """Whether a row names this customer."""
        async with aclosing(self._facts(Source.of_secret(secret))) as pages:
            async for page in pages:
                if any(fact.customer_id == customer_id for fact in page):
                    return True
        return False

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncGenerator[Sequence[RevenueFact], None]:
        """The rows of the window's months, and what services of older rows accrue in them."""
        async with aclosing(self._facts(Source.of_secret(secret))) as pages:
            async for page in pages:
                told = (_in_window(fact, window) for fact in page)
                wanted = [fact for fact in told if fact is not None]
                if wanted:
                    yield wanted

    async def _facts(self, source: Source) -> AsyncGenerator[Sequence[RevenueFact], None]:
        """Every row. Raises ``ProviderUnavailable`` at the first that can't be counted."""
        async with aclosing(self._pages(source)) as pages:
            async for page in pages:
                facts = []
                for row in page:
                    if isinstance(row, Problem):
                        raise ProviderUnavailable(
                            f"{source.label}, {row}. Nothing of the file was taken."
                        )
                    facts.append(row)
                yield facts

    async def _pages(self, source: Source) -> AsyncGenerator[Sequence[Row], None]:
        from nullspend_margins_csv.opening import opened
        from nullspend_margins_csv.reading import pages

        async with (
            opened(source, self._settings, self._outbound) as file,
            aclosing(pages(file)) as read,
        ):
            async for page in read:
                yield page


def _in_window(fact: RevenueFact, window: RevenueWindow) -> RevenueFact | None:
    """What of a row is told for these months; ``None``: nothing.

    Of an older one whose service goes on in them, what accrues: its own month may never have been
    read, and must not look as if it had been.
    """
    start, end = window.first.start, window.last.end
    if start <= fact.occurred_at < end:
        return fact
    if fact.occurred_at >= end or (window.is_backfill and not window.looks_back):
        return None
    accrual = tuple(part for part in fact.all_parts if part.until is not None)
    if not any(part.until is not None and part.until > start for part in accrual):
        return None
    return replace(fact, parts=accrual, is_partial=True)
