"""What the tests of CSV files share: a provider, and what it makes of a text."""

from __future__ import annotations

import io
from collections.abc import Mapping

import httpx

from nullspend_margins import Period, RevenueFact, RevenueWindow
from nullspend_margins.testing import FakeService
from nullspend_margins_csv.plugin import register_revenue_providers
from nullspend_margins_csv.problems import Problem
from nullspend_margins_csv.provider import CsvProvider
from nullspend_margins_csv.rows import read_rows

HEADER = "customer,date,amount\n"
ALWAYS = RevenueWindow(Period.parse("2020-01"), Period.parse("2030-12"))
URL = "https://files.example.com/exports/revenue.csv?token=s3cr3t-of-the-url"


def provider(service: FakeService | None = None, **table: object) -> CsvProvider:
    """The one that the plugin registers, over a fake of what URLs lead to."""
    service = service or FakeService(lambda _: httpx.Response(404))
    [found] = register_revenue_providers(service.context("csv", table))
    assert isinstance(found, CsvProvider)
    return found


def serving(text: str | bytes, **headers: str) -> FakeService:
    """A host that has one file at every URL."""
    content = text.encode() if isinstance(text, str) else text
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return FakeService(lambda _: httpx.Response(200, content=content, headers=sent))


def rows_of(text: str | bytes) -> list[RevenueFact | Problem]:
    """Every row of a text."""
    return list(read_rows(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def facts_of(text: str) -> list[RevenueFact]:
    """The facts of a text that has no problems."""
    found = rows_of(text)
    facts = [row for row in found if isinstance(row, RevenueFact)]
    assert facts == found, [str(row) for row in found if isinstance(row, Problem)]
    return facts


def problems_of(text: str | bytes) -> list[str]:
    """What is wrong with a text, in words."""
    return [str(row) for row in rows_of(text) if isinstance(row, Problem)]


async def read(
    csv: CsvProvider, body: Mapping[str, object], window: RevenueWindow = ALWAYS
) -> list[RevenueFact]:
    """What a sync would read."""
    credential = await csv.parse_credential(body)
    pages = csv.fetch_revenue(credential.secret, window)
    return [fact async for page in pages for fact in page]
