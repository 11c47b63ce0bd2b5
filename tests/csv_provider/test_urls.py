"""A file behind a URL, by the product's own outbound client and TLS, on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from nullspend_margins import OutboundRefused, ProviderUnavailable, ValidationFailed
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.target import OutboundRules
from nullspend_margins_csv.provider import CsvProvider
from nullspend_margins_csv.settings import CsvSettings
from tests.csv_provider.support import HEADER, read
from tests.outbound.receivers import NAME, Authority, answer, client, names, receiving

ROWS = 3_000
TEXT = HEADER + "".join(f"acme,2026-03-05,{number}.25\n" for number in range(ROWS))


async def test_a_file_is_fetched_once_a_read_and_counted_whole(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    csv = CsvProvider(CsvSettings(), outbound=lambda: client(tls=authority.trusted))
    async with receiving(answer(200, TEXT.encode()), tls=authority.server(NAME)) as receiver:
        found = await read(csv, {"url": f"https://{NAME}:{receiver.port}/r.csv?token=s3cr3t"})
    assert sum(fact.amount_minor for fact in found) == sum(range(ROWS)) * 100 + 25 * ROWS
    [request] = receiver.received
    assert request.line == "GET /r.csv?token=s3cr3t HTTP/1.1"
    assert request.headers["accept"].startswith("text/csv")


async def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    csv = CsvProvider(CsvSettings(), outbound=lambda: client(tls=authority.trusted))
    whole = answer(200, TEXT.encode())
    half = whole[: whole.rindex(b"\nacme")]
    async with receiving(half, tls=authority.server(NAME)) as receiver:
        with pytest.raises(ProviderUnavailable, match=f"^{NAME} gave no usable answer"):
            await read(csv, {"url": f"https://{NAME}:{receiver.port}/r.csv"})


async def test_a_name_that_leads_inside_is_refused_when_it_is_connected() -> None:
    strict = OutboundClient(OutboundRules(needs_https=True), lookup=names("10.0.0.7"))
    csv = CsvProvider(CsvSettings(), outbound=lambda: strict)
    kept = await csv.parse_credential({"url": f"https://{NAME}/r.csv?token=s3cr3t"})
    with pytest.raises(ValidationFailed) as refused:
        await csv.check_credential(kept.secret)
    assert refused.value.message.startswith(f"url: {NAME} leads to an address that is not allowed")
    with pytest.raises(ProviderUnavailable) as failed:
        await csv.has_customer(kept.secret, "acme")
    assert not isinstance(failed.value, OutboundRefused)
    assert "s3cr3t" not in refused.value.message + failed.value.message
