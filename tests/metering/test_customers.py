"""The host's own function that tells whose a call is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Scope

from nullspend_margins import Attribution
from tests.metering.bench import Bench, asked, body, start
from tests.metering.bodies import CHAT, encoded

CUSTOMERS: dict[str, Callable[[Scope], Any]] = {
    "a name": lambda _scope: "acme",
    "an attribution": lambda _scope: Attribution(customer="acme"),
}


@pytest.mark.parametrize("name", CUSTOMERS)
async def test_the_hosts_function_names_the_customer_and_the_app_below_sees_it(name: str) -> None:
    bench = Bench(start(), body(encoded(CHAT)), trusted_headers=("x-nullspend-customer",))
    sent = asked("/v1/chat/completions", "POST", (b"x-nullspend-customer", b"other"))
    call = await bench.ask(sent, customer=CUSTOMERS[name])
    assert call is not None
    assert call["customer"] == "acme"
    assert bench.scopes[0]["headers"] == [(b"x-nullspend-customer", b"acme")]


async def test_the_hosts_function_may_be_async_name_an_org_and_tags() -> None:
    async def customer(scope: Scope) -> Attribution:
        tags = {"path": scope["path"]}
        return Attribution(customer="acme", org_id="org_2", tags=tags)

    call = await Bench(start(), body(encoded(CHAT))).ask(customer=customer)
    assert call is not None
    assert (call["org"], call["customer"]) == ("org_2", "acme")
    assert call["tags"] == {"path": "/v1/chat/completions"}


async def test_a_function_that_does_not_know_leaves_it_to_trusted_headers() -> None:
    bench = Bench(start(), body(encoded(CHAT)), trusted_headers=("x-nullspend-customer",))
    sent = asked("/v1/chat/completions", "POST", (b"x-nullspend-customer", b"acme"))
    call = await bench.ask(sent, customer=lambda _scope: None)
    assert call is not None
    assert call["customer"] == "acme"


def raising(_scope: Scope) -> str:
    raise KeyError("token")


@pytest.mark.parametrize("wrong", [raising, lambda _scope: 5, lambda _scope: "x" * 300])
async def test_a_function_that_fails_is_logged_and_believes_nobody(
    wrong: Callable[[Scope], Any], caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(start(), body(encoded(CHAT)), trusted_headers=("x-nullspend-customer",))
    sent = asked("/v1/chat/completions", "POST", (b"x-nullspend-customer", b"other"))
    call = await bench.ask(sent, customer=wrong)
    assert call is not None
    assert "customer" not in call
    assert bench.scopes[0]["headers"] == []
    assert "the function that tells customers failed" in caplog.text
