"""The provider keeps the rules of its protocol, wherever a file comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from nullspend_margins import Period, RevenueWindow
from nullspend_margins.testing import FakeService, RevenueProviderSuite
from nullspend_margins_csv.provider import CsvProvider
from tests.csv_provider.support import URL, provider

TEXT = """\
customer,date,amount,currency,kind,service_start,service_end,id,name
acme,2026-02-28,10.00,usd,,,,in_0,Acme
acme,2026-03-01,49.00,usd,,2026-03-01,2026-04-01,in_1,Acme
beta,2026-03-31T23:59:59Z,129.00,USD,invoice,,,in_2,Beta
acme,2026-04-01,49,,,,,,Acme
acme,2026-04-01,49,,,,,,Acme
acme,2026-04-02,7,,refund,,,,Acme
beta,2026-04-30,5,eur,,,,,Beta
acme,2026-05-01,49,,,,,,Acme
"""
GONE = URL.replace("revenue", "gone")
CLOSED = {"url": "https://files.example.com/closed.csv?token=another-secret"}


def host(request: httpx.Request) -> httpx.Response:
    """One file, one that is not given out any more."""
    if request.url.path == "/exports/revenue.csv":
        return httpx.Response(200, text=TEXT, headers={"content-type": "text/csv"})
    return httpx.Response(401, text="no")


class BreakingOff(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield TEXT[:200].encode()
        raise httpx.ReadError("broken off")


class Sample(RevenueProviderSuite):
    """The same rows, from three places."""

    refused_body = {"url": GONE}  # noqa: RUF012
    window = RevenueWindow(Period.parse("2026-03"), Period.parse("2026-04"))
    paid = {"acme": 14_700, "beta": 12_900}  # noqa: RUF012
    table: dict[str, object] = {}  # noqa: RUF012

    def make(self, service: FakeService | None = None) -> CsvProvider:
        return provider(service or FakeService(host), **self.table)


class TestUrl(Sample):
    body = {"url": URL}  # noqa: RUF012

    def make_unreachable(self) -> CsvProvider:
        return self.make(FakeService(host).unreachable())

    def make_garbled(self, status: int) -> CsvProvider:
        return self.make(FakeService(host).garbled(status))

    def make_answering(self, body: object) -> CsvProvider:
        return self.make(FakeService(host).answering(body))

    def make_stalled(self) -> CsvProvider:
        return self.make(FakeService(host).stalled())

    def make_failing_half_way(self) -> CsvProvider:
        return self.make(FakeService(lambda _: httpx.Response(200, stream=BreakingOff())))


class TestContent(Sample):
    body = {"content": TEXT}  # noqa: RUF012


class TestFile(Sample):
    body = {"file": "acme/revenue.csv"}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        (tmp_path / "acme").mkdir()
        (tmp_path / "acme" / "revenue.csv").write_text(TEXT)
        self.table = {"folder": str(tmp_path)}

    def make_failing_half_way(self) -> CsvProvider:
        folder = Path(str(self.table["folder"]))
        (folder / "acme" / "revenue.csv").write_text(TEXT + "beta,2026-04-05,half\n")
        return self.make()

    def make_unreachable(self) -> CsvProvider:
        return provider(FakeService(host).unreachable(), folder=f"{self.table['folder']}/unmounted")

    @pytest.mark.skip("check_credential tells who connects a file that there is none")
    def test_an_unreachable_provider_says_nothing_of_the_credential(self) -> None: ...
