"""What tokens cost: a table of the configuration, else a price library. Exact, rounded once."""

from __future__ import annotations

import importlib.util
import logging
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Protocol

from nullspend_margins.config import MeteringSettings, ModelPrice
from nullspend_margins.domain.money import round_half_up
from nullspend_margins.errors import ConfigurationError
from nullspend_margins.metering.usage import Usage

_LIBRARY = "genai_prices"
_NANODOLLARS = 10**9
_TOKENS = 10**6
_FALLBACK_PROVIDER = "openai"  # the library does not tell it from names like text-embedding-3

_log = logging.getLogger("nullspend_margins.metering")


class Price(NamedTuple):
    """What a call cost, in nanodollars, whom it is paid to, and how that is known."""

    nanodollars: int
    provider: str
    how: str


class PriceLibrary(Protocol):
    """Prices that somebody else maintains."""

    def price(self, usage: Usage, model: str, provider: str, at: datetime) -> Price | None:
        """``None``: it knows no such model."""
        ...


def nanodollars(dollars: Decimal | Fraction) -> int:
    """Rounded half up."""
    exact = Fraction(dollars) * _NANODOLLARS
    return round_half_up(exact.numerator, exact.denominator)


def configured_price(usage: Usage, price: ModelPrice) -> int:
    """Nanodollars of ``usage`` at a price of the configuration."""
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    plain = usage.input - usage.cached - usage.cache_write
    exact = (
        Fraction(price.input) * plain
        + Fraction(cached) * usage.cached
        + Fraction(written) * usage.cache_write
        + Fraction(price.output) * usage.output
    )
    return nanodollars(exact / _TOKENS)


def price_library(settings: MeteringSettings) -> PriceLibrary | None:
    """The one that is configured. Raises ``ConfigurationError`` when it is not installed."""
    if settings.price_library == "none":
        return None
    if importlib.util.find_spec(_LIBRARY) is None:
        raise ConfigurationError(
            'metering.price_library: "genai-prices" is not installed: '
            'pip install "nullspend-margins[prices]"'
        )
    return GenaiPrices()


class GenaiPrices:
    """Prices of the package ``genai-prices``, as of its release: it is not let to the network.

    Loaded with the first call that needs it, which takes half a second; so in a thread.
    """

    def price(self, usage: Usage, model: str, provider: str, at: datetime) -> Price | None:
        """At the prices of the time ``at``. A ``/`` in ``model`` parts provider and model."""
        import genai_prices

        tokens = genai_prices.Usage(
            input_tokens=usage.input,
            cache_read_tokens=usage.cached or None,
            cache_write_tokens=usage.cache_write or None,
            output_tokens=usage.output,
        )
        for provider_id, name in _names(model, provider):
            try:
                found = genai_prices.calc_price(
                    tokens, name, provider_id=provider_id, genai_request_timestamp=at
                )
            except LookupError:
                continue
            except Exception as problem:
                _log.warning("genai-prices cannot price %s: %s", name, type(problem).__name__)
                continue
            return Price(nanodollars(found.total_price), found.provider.id, "genai-prices")
        return None


def _names(model: str, provider: str) -> list[tuple[str | None, str]]:
    """Provider and model as the library may know them, the likeliest first."""
    if provider:
        return [(provider, model)]
    front, joint, name = model.partition("/")
    parted: list[tuple[str | None, str]] = [(front, name)] if joint else []
    return [*parted, (None, model), (_FALLBACK_PROVIDER, model)]
