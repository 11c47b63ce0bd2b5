"""What the sample company's customers do with models: cost events, as an SDK would send them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from nullspend_margins.web.wire.base import timestamp

_PER_MILLION = 1_000_000

Event = dict[str, Any]
"""The JSON body of one event of ``POST /api/cost-events/batch``."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its list price, in microdollars a million tokens; ``weight``: of its use."""

    provider: str
    name: str
    input_price: int
    output_price: int
    weight: int


_MODELS = (
    Model("openai", "gpt-4o", 2_500_000, 10_000_000, 30),
    Model("openai", "gpt-4o-mini", 150_000, 600_000, 6),
    Model("openai", "gpt-4.1", 2_000_000, 8_000_000, 24),
    Model("openai", "text-embedding-3-small", 20_000, 0, 1),
    Model("anthropic", "claude-sonnet-4-5", 3_000_000, 15_000_000, 40),
    Model("anthropic", "claude-haiku-4-5", 1_000_000, 5_000_000, 10),
    Model("google", "gemini-2.5-pro", 1_250_000, 10_000_000, 26),
    Model("google", "gemini-2.5-flash", 300_000, 2_500_000, 5),
    Model("mistral", "mistral-large", 2_000_000, 6_000_000, 14),
)
_FEATURES = ("chat", "summaries", "agents", "search", "translation")
_MODELS_OF_ONE = 4


def usage(
    tag_value: str, cost_microdollars: int, count: int, start: datetime, end: datetime
) -> Iterator[Event]:
    """``count`` events in ``[start, end]`` that cost about ``cost_microdollars`` together.

    The same arguments give the same events. ``tag_value`` empty: events that name no customer.
    """
    random = Random(f"{tag_value} {start:%Y-%m}")  # noqa: S311 - a sample, not a secret
    models = Random(tag_value).sample(_MODELS, _MODELS_OF_ONE)  # noqa: S311 - the same
    chosen = [random.choice(models) for _ in range(count)]
    shares = [random.randint(40, 160) * model.weight for model in chosen]
    whole = sum(shares)
    span = (end - start) // timedelta(milliseconds=1)
    for number, (model, share) in enumerate(zip(chosen, shares, strict=True)):
        moment = start + timedelta(milliseconds=random.randint(0, span))
        yield {
            **_tokens(model, cost_microdollars * share // whole, random),
            **_customer(tag_value, random),
            "provider": model.provider,
            "model": model.name,
            "durationMs": random.randint(300, 20_000),
            "sessionId": f"session-{random.getrandbits(32):08x}",
            "eventType": "llm",
            "idempotencyKey": f"demo {start:%Y-%m} {number} {tag_value}"[:200],
            "occurredAt": timestamp(moment),
        }


def tool_use(tag_value: str, start: datetime, end: datetime) -> Event:
    """One paid tool call: costs that no tokens explain."""
    middle = start + (end - start) / 2
    return {
        "provider": "mcp",
        "model": "web-search",
        "inputTokens": 0,
        "outputTokens": 0,
        "costMicrodollars": 8_000,
        "eventType": "tool",
        "toolName": "web_search",
        "toolServer": "search.example",
        "customer": tag_value,
        "idempotencyKey": f"demo tool {start:%Y-%m} {tag_value}"[:200],
        "occurredAt": timestamp(middle),
    }


def _tokens(model: Model, cost: int, random: Random) -> Event:
    """Tokens that cost about ``cost`` microdollars, and what exactly they cost."""
    on_input = 1000 if model.output_price == 0 else random.randint(300, 800)
    tokens_in = cost * on_input * _PER_MILLION // (1000 * model.input_price)
    tokens_out = 0
    if model.output_price:
        tokens_out = cost * (1000 - on_input) * _PER_MILLION // (1000 * model.output_price)
    exact = tokens_in * model.input_price + tokens_out * model.output_price
    return {
        "inputTokens": tokens_in,
        "outputTokens": tokens_out,
        "cachedInputTokens": tokens_in * random.randint(0, 40) // 100,
        "costMicrodollars": exact // _PER_MILLION,
    }


def _customer(tag_value: str, random: Random) -> Event:
    """The customer by its own field, or among the tags as older integrations do."""
    tags = {"feature": random.choice(_FEATURES), "environment": "production"}
    if not tag_value:
        return {"tags": tags}
    if random.random() < 0.2:
        return {"tags": {**tags, "customer": tag_value}}
    return {"customer": tag_value, "tags": tags}
