"""From a line of the journal to a cost event. Runs in the recorder's thread, on no request."""

from __future__ import annotations

import logging
from decimal import Decimal, InvalidOperation

from nullspend_margins.config import MeteringSettings
from nullspend_margins.domain.cost import MAX_COST_NANODOLLARS, CostEvent
from nullspend_margins.metering.call import Call, decode_call
from nullspend_margins.metering.prices import (
    Price,
    PriceLibrary,
    configured_price,
    nanodollars,
    price_library,
)
from nullspend_margins.metering.usage import Usage, settled, short
from nullspend_margins.recording import Recorded

_GATEWAY = "gateway"
_NO_MODEL = "unknown"
_MODELS_TOLD = 1_000
_NO_TOKENS = Usage(0, 0, 0, 0, 0)

_log = logging.getLogger("nullspend_margins.metering")


class CallReader:
    """Prices calls. Raises ``ConfigurationError`` when the price library is not installed."""

    def __init__(self, settings: MeteringSettings) -> None:
        self._settings = settings
        self._library: PriceLibrary | None = price_library(settings)
        self._told: set[str] = set()

    def read(self, body: bytes) -> Recorded:
        """The event of a line that a ``Call`` was written to.

        Raises ``MsgspecError`` and ``ValidationFailed`` when it is no such line.
        """
        call = decode_call(body)
        return Recorded(org_id=call.org, source=call.source, event=self.event(call))

    def event(self, call: Call) -> CostEvent:
        """What is stored of a call. One that nothing prices costs 0 and says ``unpriced``."""
        model = short(call.model)
        usage = settled(call.usage) if call.usage is not None else None
        price = self._price(call, model, usage)
        if price is None:
            self._tell(model or _NO_MODEL, has_usage=usage is not None)
            price = Price(0, "", "unpriced")
        tokens = usage or _NO_TOKENS
        return CostEvent(
            event_id=call.id,
            provider=self._settings.provider or price.provider or _GATEWAY,
            model=model or _NO_MODEL,
            cost_nanodollars=price.nanodollars,
            occurred_at=call.at,
            tag_value=call.customer,
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cached_input_tokens=tokens.cached,
            reasoning_tokens=tokens.reasoning,
            event_type="llm",
            reported_source=price.how,
            tags=call.tags,
        )

    def _price(self, call: Call, model: str, usage: Usage | None) -> Price | None:
        """``None``: nobody knows."""
        if call.is_cache_hit:
            return Price(0, "", "cache")  # its cost header still says what a miss would cost
        price = None
        if (stated := _nanodollars_of(call.cost)) is not None:
            price = Price(stated, "", "header")
        elif usage is None:
            return None
        elif (configured := self._settings.prices.get(model)) is not None:
            price = Price(configured_price(usage, configured), "", "configured")
        elif self._library is not None and model:
            price = self._library.price(usage, model, self._settings.provider, call.at)
        if price is not None and price.nanodollars > MAX_COST_NANODOLLARS:
            _log.error("a call of the model %s would cost over a million dollars", model)
            return None  # a mistake in a price
        return price

    def _tell(self, model: str, *, has_usage: bool) -> None:
        if model in self._told or len(self._told) >= _MODELS_TOLD:
            return
        self._told.add(model)
        if has_usage:
            _log.warning(
                'calls of the model %s are unpriced: set [metering.prices."%s"]%s',
                model,
                model,
                "" if self._library is not None else ', or price_library = "genai-prices"',
            )
        else:
            _log.warning(
                "calls of the model %s came without usage, and are unpriced: a stream needs "
                'stream_options {"include_usage": true}, which a gateway can be set to enforce',
                model,
            )


def _nanodollars_of(text: str) -> int | None:
    """Nanodollars of a cost header; ``None`` when it holds no amount."""
    try:
        dollars = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not dollars.is_finite() or dollars < 0 or dollars.adjusted() > 15:
        return None
    return nanodollars(dollars) if dollars.adjusted() > -30 else 0
