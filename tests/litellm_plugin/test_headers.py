"""What reaches the proxy names the customer in one header that is trusted, or in none."""

from __future__ import annotations

from typing import Any

import pytest

from nullspend_margins_litellm.headers import HeaderGuard
from tests.litellm_plugin.support import settings

CUSTOMER = b"x-litellm-customer-id"


async def seen(
    *headers: tuple[bytes, bytes], proxy: dict[str, Any] | None = None, **table: Any
) -> list[tuple[bytes, bytes]]:
    """The headers that the proxy sees."""
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.extend(scope["headers"])

    guard = HeaderGuard(app, settings(**table), proxy_settings=lambda: proxy or {})
    scope = {"type": "http", "headers": [*headers]}
    await guard(scope, None, None)  # type: ignore[arg-type]
    assert scope["headers"] == [*headers]
    return found


async def test_without_trust_no_header_names_a_customer() -> None:
    found = await seen(
        (b"host", b"h"),
        (CUSTOMER, b"rival"),
        (b"X-LiteLLM-End-User-Id", b"rival"),
        (b"x-litellm-call-id", b"always-the-same"),
    )
    assert found == [(b"host", b"h")]


async def test_names_that_the_proxy_was_told_of_are_no_way_around() -> None:
    proxy = {
        "user_header_name": "X-User",
        "user_header_mappings": [
            {"header_name": "X-Customer", "litellm_user_role": "customer"},
            {"header_name": "X-Internal", "litellm_user_role": "internal_user"},
        ],
    }
    given = ((b"x-user", b"a"), (b"x-customer", b"b"), (b"x-internal", b"c"))
    assert await seen(*given, proxy=proxy) == [(b"x-internal", b"c")]
    assert await seen(*given, proxy=proxy, customer="team_id") == [(b"x-internal", b"c")]
    assert await seen(*given, proxy=proxy, customer="user_id") == []


async def test_a_trusted_name_may_be_in_utf8() -> None:
    name = "Łódź".encode()
    assert await seen((b"x-tenant", name), trusted_headers=["x-tenant"]) == [
        (b"x-tenant", name),
        (CUSTOMER, name),
    ]


async def test_a_trusted_header_reaches_the_proxy_under_the_name_that_it_looks_for() -> None:
    given = ((CUSTOMER, b"rival"), (b"x-tenant", b"acme"))
    found = await seen(*given, trusted_headers=["x-tenant"])
    assert found == [(b"x-tenant", b"acme"), (CUSTOMER, b"acme")]


async def test_the_first_trusted_header_wins() -> None:
    trusted = ["x-tenant", CUSTOMER.decode()]
    given = ((CUSTOMER, b"other"), (b"x-tenant", b"acme"))
    assert (CUSTOMER, b"acme") in await seen(*given, trusted_headers=trusted)
    assert await seen((CUSTOMER, b"other"), trusted_headers=trusted) == [(CUSTOMER, b"other")]


@pytest.mark.parametrize("value", [b"", b" ", b"\x00", b"x" * 257])
async def test_a_value_that_can_be_no_customer_is_nobody(value: bytes) -> None:
    assert await seen((CUSTOMER, value), trusted_headers=[CUSTOMER.decode()]) == []


async def test_two_values_of_a_trusted_header_are_nobody() -> None:
    given = ((CUSTOMER, b"acme"), (CUSTOMER, b"rival"))
    assert await seen(*given, trusted_headers=[CUSTOMER.decode()]) == []


async def test_no_header_counts_where_the_key_says_whose_cost_it_is() -> None:
    found = await seen((CUSTOMER, b"x"), trusted_headers=[CUSTOMER.decode()], customer="key_alias")
    assert found == []


async def test_call_ids_are_the_proxys_own_unless_clients_are_trusted_with_them() -> None:
    given = (b"x-litellm-call-id", b"mine")
    assert await seen(given) == []
    assert await seen(given, trust_call_ids=True) == [given]
