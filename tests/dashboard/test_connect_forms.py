"""Connecting by a form: what is taken, what is refused and why, and that secrets stay secret."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from nullspend_margins.web.bodies import MAX_BODY_BYTES
from tests.dashboard.visiting import (
    CONNECT,
    OTHER_KEY,
    STRIPE,
    TOKEN,
    Plain,
    followed,
    look,
    send,
    words,
)
from tests.world import KEY, World, unix, world

CSV = f"{CONNECT}/csv"
ROWS = "customer,date,amount\nacme,2026-11-01,12.00\nbeta,2026-11-02,7.50\n"


@pytest_asyncio.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "revenue.csv").write_text(ROWS)
    async with world(
        database_url, plugins=[Plain("plain")], tables={"csv": {"folder": str(folder)}}
    ) as made:
        made.account.add_invoice(
            made.account.add_customer("cus_1"), 4_200, created=unix(2026, 11, 5)
        )
        yield made


def key(value: str) -> dict[str, str]:
    return {"field.stripeKey": value}


async def test_a_good_key_connects_and_leads_to_the_first_sync(here: World) -> None:
    page = await followed(here, await send(here, STRIPE, key(KEY)))
    assert "Stripe is connected. Sync now to bring its revenue." in words(page)
    assert "How exact the numbers are" in words(page)
    assert "Accrual The price of a service over the time it was given Exact none" in words(page)


async def test_what_the_key_may_not_read_is_told_at_once(here: World) -> None:
    here.stripe.forbid(KEY, "rak_charge_read")
    page = words(await followed(here, await send(here, STRIPE, key(KEY))))
    assert "refunds and disputes Approximate Charges and Refunds: Read" in page


async def test_a_wrong_key_is_explained_beside_the_field(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await send(here, STRIPE, key("sk_live_abcdefghijkl"))
    assert answer.status_code == 400
    assert 'aria-describedby="key-stripeKey-help key-stripeKey-problem"' in answer.text
    assert "It is a secret key, which can move money" in words(answer.text)
    assert "abcdefghijkl" not in answer.text + caplog.text


async def test_an_empty_field_asks_nobody(here: World) -> None:
    here.stripe.requests.clear()
    answer = await send(here, STRIPE, key("  "))
    assert answer.status_code == 400
    assert "Fill this in." in words(answer.text)
    assert not here.stripe.requests


async def test_a_key_that_the_provider_refuses_is_not_stored(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await send(here, STRIPE, key(OTHER_KEY))
    assert answer.status_code == 400
    assert "Not connected Stripe does not accept this key." in words(answer.text)
    assert OTHER_KEY not in answer.text + caplog.text
    assert (await here.get("/api/stripe/connect")) is None


async def test_the_permission_that_is_missing_is_marked_in_the_list(here: World) -> None:
    here.stripe.forbid(KEY, "rak_invoice_read")
    answer = await send(here, STRIPE, key(KEY))
    assert answer.status_code == 400
    text = words(answer.text)
    assert "Tick Invoices: Read in the restricted key" in text
    assert "Invoices: Read rak_invoice_read Missing" in text


async def test_a_provider_that_does_not_answer_is_no_verdict_on_the_key(here: World) -> None:
    here.stripe.faults.fail(500, times=1_000)
    answer = await send(here, STRIPE, key(KEY))
    assert answer.status_code == 502
    text = words(answer.text)
    assert "No answer from Stripe" in text
    assert "Nothing was stored." in text
    assert KEY not in answer.text


async def test_who_comes_second_sees_the_firsts_connection(here: World) -> None:
    await here.connect()
    page = words(await followed(here, await send(here, STRIPE, key(KEY))))
    assert "already connected to this provider" in page
    assert "Never synced" in page


async def test_a_form_of_another_person_changes_nothing(here: World) -> None:
    answer = await send(here, STRIPE, key(KEY), token="made-up")
    assert answer.status_code == 403
    assert (await here.get("/api/stripe/connect")) is None
    answer = await send(here, STRIPE, key(KEY), role="member")
    assert answer.status_code == 403
    assert (await here.get("/api/stripe/connect")) is None


async def test_a_key_of_the_same_account_takes_the_others_place(here: World) -> None:
    await here.connect()
    await here.sync()
    here.stripe.grant(OTHER_KEY, here.account)
    page = words(await followed(here, await send(here, f"{STRIPE}/replace", key(OTHER_KEY))))
    assert "The restricted key is replaced. Everything that was stored is still there." in page
    assert "rk_live_zyxw...dcba" in page
    assert (await here.get("/api/margins/unmatched"))["unmatchedStripeCustomers"]


async def test_a_key_of_another_account_is_a_conflict_beside_the_form(here: World) -> None:
    await here.connect()
    await here.sync()
    here.stripe.add_account(OTHER_KEY)
    answer = await send(here, f"{STRIPE}/replace", key(OTHER_KEY))
    assert answer.status_code == 409
    text = words(answer.text)
    assert "This does not go together This credential belongs to another account of Stripe" in text
    assert "Restricted key" in text
    assert OTHER_KEY not in answer.text
    assert "rk_live_abcd...wxyz" in words(await look(here))


async def test_a_file_is_uploaded(here: World) -> None:
    sent = {"field.content": ("revenue.csv", ROWS.encode())}
    page = await followed(here, await send(here, f"{CSV}?way=upload", files=sent))
    assert "CSV files is connected" in words(page)
    assert "File upload of 2 rows" in words(page)


async def test_a_file_of_the_servers_is_connected_by_its_name(here: World) -> None:
    answer = await send(here, f"{CSV}?way=file", {"field.file": "gone.csv"})
    assert answer.status_code == 400
    assert "There is no file gone.csv" in words(answer.text)
    assert 'value="gone.csv"' in answer.text  # no secret: what was typed is there to mend
    page = await followed(here, await send(here, f"{CSV}?way=file", {"field.file": "revenue.csv"}))
    assert "File revenue.csv" in words(page)


async def test_a_url_with_a_secret_in_it_is_hidden_while_it_is_typed(here: World) -> None:
    page = await look(here, CSV)
    assert '<input type="password" inputmode="url" id="url-url"' in page
    assert '<input type="text" id="file-file"' in page


async def test_a_url_is_not_shown_again(here: World) -> None:
    url = "http://files.example.com/revenue.csv?token=hush-7d1f"
    answer = await send(here, f"{CSV}?way=url", {"field.url": url})
    assert answer.status_code == 400
    assert "It must start with https://" in words(answer.text)
    assert "hush-7d1f" not in answer.text


MISTAKES = {
    "a wrong row": (ROWS.encode() + b"zeta,2026-11-01,x\n", 400, "Line 4, column amount"),
    "an empty file": (b"", 400, "Choose a file that is not empty."),
    "another encoding": ("customer,date\nä".encode("utf-16"), 400, "It is not text in UTF-8."),
    "too large": (b"x" * (MAX_BODY_BYTES + 1), 413, "more than a form may send, which is 1 MiB"),
}


@pytest.mark.parametrize(("content", "status", "told"), MISTAKES.values(), ids=list(MISTAKES))
async def test_what_is_wrong_with_a_file_is_told(
    here: World, content: bytes, status: int, told: str
) -> None:
    sent = {"field.content": ("revenue.csv", content)}
    answer = await send(here, f"{CSV}?way=upload", files=sent)
    assert answer.status_code == status
    assert told in words(answer.text)


@pytest.mark.parametrize("text", [f"token = {TOKEN}\n", f'{{"token": "{TOKEN}"}}'])
async def test_a_provider_without_a_form_is_connected_by_its_fields(here: World, text: str) -> None:
    plain = f"{CONNECT}/plain"
    page = await followed(here, await send(here, plain, {"field.body": text}))
    assert "plain is connected" in words(page)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Fill this in."),
        ("hush-7d1f", "Write one field a line"),
        ('{"token": hush-7d1f', "Write one field a line"),
        ("token = hush-7d1f", "token: must be a token"),
    ],
)
async def test_what_is_wrong_with_such_fields_is_told_without_them(
    here: World, text: str, told: str
) -> None:
    answer = await send(here, f"{CONNECT}/plain", {"field.body": text})
    assert answer.status_code == 400
    assert told in words(answer.text)
    assert "hush-7d1f" not in answer.text
