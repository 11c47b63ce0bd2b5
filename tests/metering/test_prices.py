"""What tokens cost, to the nanodollar."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.config import MeteringSettings, ModelPrice
from nullspend_margins.errors import ConfigurationError
from nullspend_margins.metering import Call, CallReader
from nullspend_margins.metering import prices as prices_module
from nullspend_margins.metering.prices import configured_price
from nullspend_margins.metering.usage import RawUsage, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TOKENS = RawUsage(prompt_tokens=1000, completion_tokens=50)


def call(**changes: object) -> Call:
    facts: dict[str, object] = {
        "id": "1",
        "at": NOW,
        "org": "org_1",
        "source": "metering",
        "model": "gpt-4o",
        "usage": TOKENS,
        **changes,
    }
    return Call(**facts)  # type: ignore[arg-type]


def reader(prices: Mapping[str, ModelPrice] | None = None, **more: object) -> CallReader:
    settings = MeteringSettings(org="org_1", prices=prices or {}, **more)  # type: ignore[arg-type]
    return CallReader(settings)


def cost(reader: CallReader, **changes: object) -> tuple[int, str | None]:
    event = reader.event(call(**changes))
    return event.cost_nanodollars, event.reported_source


def test_a_configured_price_is_exact() -> None:
    price = ModelPrice(
        input=Decimal("2.5"),
        cached_input=Decimal("1.25"),
        cache_write=Decimal(3),
        output=Decimal(10),
    )
    assert configured_price(Usage(1000, 100, 10, 50, 20), price) == 2_225_000 + 125_000 + 530_000


def test_what_is_cached_costs_as_any_input_when_nothing_else_is_set() -> None:
    assert configured_price(Usage(10, 4, 3, 0, 0), ModelPrice(input=Decimal(1))) == 10_000


def test_half_a_nanodollar_rounds_up_once() -> None:
    price = ModelPrice(input=Decimal("0.0005"), output=Decimal("0.0005"))
    assert configured_price(Usage(1, 0, 0, 0, 0), price) == 1
    assert configured_price(Usage(1, 0, 0, 1, 0), price) == 1


@given(
    st.integers(0, 2**53 - 1),
    st.integers(0, 2**53 - 1),
    st.decimals("0", "1000", places=6),
    st.decimals("0", "1000", places=6),
)
def test_a_price_is_never_more_than_half_a_nanodollar_off(
    entered: int, left: int, per_input: Decimal, per_output: Decimal
) -> None:
    price = ModelPrice(input=per_input, output=per_output)
    exact = Fraction(per_input) * entered + Fraction(per_output) * left  # of a millionth dollar
    found = configured_price(Usage(entered, 0, 0, left, 0), price)
    assert -Fraction(1, 2) < found - exact * 1000 <= Fraction(1, 2)


def test_a_header_goes_before_every_price() -> None:
    configured = reader({"gpt-4o": ModelPrice(input=Decimal(1))})
    assert cost(configured, cost="0.000012345") == (12_345, "header")
    assert cost(configured, cost="1.5e-05") == (15_000, "header")
    assert cost(configured, cost="0.0") == (0, "header")
    assert cost(configured) == (1_000_000, "configured")


@pytest.mark.parametrize("text", ["", "None", "nan", "inf", "-1", "1e999999", "0x1", "1,5"])
def test_a_header_without_an_amount_is_none(text: str) -> None:
    configured = reader({"gpt-4o": ModelPrice(input=Decimal(1))})
    assert cost(configured, cost=text) == (1_000_000, "configured")


def test_a_tiny_amount_does_not_take_for_ever() -> None:
    assert cost(reader(), cost="1e-999999") == (0, "header")


def test_a_cache_hit_costs_nothing_whatever_its_header_says() -> None:
    assert cost(reader(), cost="0.5", is_cache_hit=True) == (0, "cache")


def test_the_price_library_prices_what_is_not_configured() -> None:
    with_library = reader({"other": ModelPrice()}, price_library="genai-prices")
    event = with_library.event(call())
    assert (event.cost_nanodollars, event.reported_source) == (3_000_000, "genai-prices")
    assert event.provider == "openai"
    assert cost(with_library, model="openai/gpt-4o") == (3_000_000, "genai-prices")
    assert cost(with_library, model="text-embedding-3-small")[1] == "genai-prices"
    assert cost(with_library, model="my-own-model") == (0, "unpriced")
    assert not [each for each in threading.enumerate() if "genai" in each.name]  # it fetches none


def test_the_price_library_prices_cached_tokens() -> None:
    usage = RawUsage(input_tokens=100, cache_read_input_tokens=900, output_tokens=50)
    with_library = reader(price_library="genai-prices")
    assert cost(with_library, usage=usage)[0] == 250_000 + 1_125_000 + 500_000


def test_a_price_library_that_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prices_module, "_LIBRARY", "no_such_library")
    with pytest.raises(ConfigurationError, match=r'pip install "nullspend-margins\[prices\]"'):
        reader(price_library="genai-prices")


def test_what_nothing_prices_is_counted_at_zero_and_told_once_a_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    none = reader()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert cost(none) == (0, "unpriced")
            assert cost(none, model="streamed", usage=None) == (0, "unpriced")
    first, second = (record.getMessage() for record in caplog.records)
    assert '[metering.prices."gpt-4o"]' in first
    assert 'price_library = "genai-prices"' in first
    assert "include_usage" in second


def test_a_call_of_over_a_million_dollars_is_a_mistake() -> None:
    assert cost(reader(), cost="1000000") == (10**15, "header")
    assert cost(reader(), cost="1000000.01") == (0, "unpriced")


def test_a_call_of_a_model_without_a_name_is_stored_as_unknown() -> None:
    event = reader().event(call(model="\n", usage=None))
    assert (event.model, event.provider) == ("unknown", "gateway")


@pytest.mark.parametrize("body", [b"{}", b"\xff", b"null"])
def test_a_line_that_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        reader().read(body)
