"""The plugin as the product loads it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import httpx
import pytest

from nullspend_margins import ConfigurationError, PluginContext, RevenueProvider
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins_stripe import plugin
from nullspend_margins_stripe.settings import StripeSettings
from tests.stripe.support import KEY


async def test_it_registers_one_provider_that_reads_through_the_apps_client(
    server_http: httpx.AsyncClient, account: StripeAccount
) -> None:
    [provider] = plugin.register_revenue_providers(
        context=PluginContext(name="stripe", http=lambda: server_http)
    )

    assert isinstance(provider, RevenueProvider)
    assert provider.name == "stripe"
    await provider.check_credential(KEY)


async def test_its_table_configures_it(
    server_http: httpx.AsyncClient, account: StripeAccount
) -> None:
    table = {"api_base": "http://127.0.0.1:1/stripe/", "retry_seconds": 0, "page_size": 5}
    context = PluginContext(name="stripe", table=table, http=lambda: server_http)
    [provider] = plugin.register_revenue_providers(context=context)

    with pytest.raises(Exception, match="HTTP 404"):
        await provider.check_credential(KEY)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("api_base", "api.stripe.com"),
        ("api_base", "ftp://api.stripe.com"),
        ("api_base", "https://user:password@api.stripe.com"),
        ("retry_seconds", -1),
        ("requests_per_second", -1),
        ("timeout_seconds", 0),
        ("concurrency", 0),
        ("page_size", 101),
        ("customer_metadata_key", ""),
        ("retry_secconds", 20),
    ],
)
def test_a_mistake_in_the_table_names_its_key(key: str, value: object) -> None:
    context = PluginContext(name="stripe", table={key: value})

    with pytest.raises(ConfigurationError, match=rf"plugins\.stripe\.{key}"):
        plugin.register_revenue_providers(context=context)


def test_every_setting_says_what_it_is() -> None:
    for each in dataclasses.fields(StripeSettings):
        assert each.metadata["help"]
        assert "unit" in each.metadata


def test_importing_the_plugin_loads_neither_the_sdk_nor_httpx() -> None:
    program = (
        "import sys, nullspend_margins_stripe.plugin;"
        "print(sorted({'stripe', 'httpx', 'starlette', 'sqlalchemy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert found.stdout.strip() == "[]"
