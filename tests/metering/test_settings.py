"""``[metering]``: what is taken, and what is said of a mistake."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from nullspend_margins.config import ModelPrice, load_config
from nullspend_margins.errors import ConfigurationError


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "margins.toml"
    path.write_text(text)
    return load_config(path).metering


def test_prices_are_read_exactly(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [metering]
        org = "org_1"
        [metering.prices."meta-llama/Llama-3.1-8B"]
        input = 0.1
        output = 0.3
        [metering.prices.cached]
        input = 3
        cached_input = 0.30
        cache_write = 3.75
        """,
    )
    assert settings.prices["meta-llama/Llama-3.1-8B"] == ModelPrice(
        input=Decimal("0.1"), output=Decimal("0.3")
    )
    assert settings.prices["cached"].cache_write == Decimal("3.75")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            'source = "x"',
            "metering: org is missing, so nothing would be metered in spite of source",
        ),
        (
            'org = "o"\ntrusted_headers = ["x-mine"]',
            "metering: trusted_headers has x-mine, which customer_headers has not",
        ),
        ('org = "o"\ncustomer = "nope"', "metering.customer: must be module:function"),
        ('org = "o"\npaths = ["v1"]', "metering.paths: must be paths like"),
        ('org = "o"\ncustomer_headers = ["X-A"]', "metering.customer_headers: must be header"),
        ('org = "o"\nprice_library = "x"', "metering.price_library: must be one of"),
        ('org = "o"\n[metering.prices.m]\ninput = -1', "metering.prices.m.input: must be at least"),
        ('org = "o"\n[metering.prices.m]\ninputs = 1', "metering.prices.m.inputs: there is no"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, f"[metering]\n{lines}\n")
    assert message in str(caught.value)


def test_without_an_org_nothing_is_metered(tmp_path: Path) -> None:
    assert load(tmp_path, "").org == ""
