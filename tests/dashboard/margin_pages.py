"""The margin table's page and a company to see on it."""

from __future__ import annotations

import html
import re

from tests.world import KEY, World, unix


async def page(here: World, query: str = "", role: str = "viewer") -> str:
    answer = await here.call("GET", f"/margins{query}", role=role)
    assert answer.status_code == 200, answer.text
    return answer.text


def customers(text: str) -> list[str]:
    """Whose rows there are, in order."""
    return [
        html.unescape(each)
        for each in re.findall(r'role="rowheader"><a [^>]*><bdi>([^<]*)</bdi></a>', text)
    ]


def row_of(text: str, name: str) -> str:
    """The cells of one row as a reader sees them."""
    [row] = [each for each in text.split("<tr ") if f">{html.escape(name)}</bdi></a>" in each]
    row = re.sub(r"</?bdi>", "", row.partition("</tr>")[0])
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


async def company(here: World) -> None:
    """Four customers: at a loss, without revenue, healthy, and one with another currency too."""
    for customer_id, name, tag, cents, spent in (
        ("cus_loss", "Loss Ltd", "loss", 10_000, 150_000_000),
        ("cus_none", None, "none", 0, 20_000_000),
        ("cus_good", "Ärger AG", "good", 100_000, 10_000_000),
        ("cus_also", None, "Also", 5_000, 45_000_000),
    ):
        here.account.add_customer(customer_id, name=name)
        if cents:
            here.account.add_invoice(customer_id, cents, created=unix(2026, 11, 3))
        await here.map(customer_id, tag)
        await here.spend(tag, spent)
    here.account.add_invoice("cus_also", 2_500, currency="eur", created=unix(2026, 11, 4))
    await here.connect(KEY)
    await here.sync()
