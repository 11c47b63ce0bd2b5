"""``[metering]``: which responses are costs, whose they are, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from nullspend_margins.config.sections import setting
from nullspend_margins.domain.text import text_problem

PriceLibrary = Literal["none", "genai-prices"]

_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_MAX_SOURCE = 200


def _org_problem(org: str) -> str | None:
    return text_problem(org, at_least=0)


def _source_problem(source: str) -> str | None:
    return text_problem(source, at_most=_MAX_SOURCE)


def _paths_problem(paths: tuple[str, ...]) -> str | None:
    wrong = next((each for each in paths if not each.startswith("/")), None)
    return f'must be paths like /v1/completions; "{wrong}" does not start with /' if wrong else None


def _headers_problem(names: tuple[str, ...]) -> str | None:
    wrong = next((each for each in names if not _HEADER.fullmatch(each)), None)
    if wrong is None:
        return None
    return f'must be header names in lower case, with - and without _; "{wrong}" is not'


def _function_problem(function: str) -> str | None:
    if not function or _FUNCTION.fullmatch(function):
        return None
    return "must be module:function, for example myapp.auth:customer_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """``[metering.prices."MODEL"]``: US dollars per million tokens."""

    input: Decimal = setting(
        Decimal(0), help="Input tokens.", unit="USD per million tokens", at_least=0
    )
    cached_input: Decimal | None = setting(
        None,
        help="Input tokens read from a cache. Not set: as `input`.",
        unit="USD per million tokens",
        at_least=0,
    )
    cache_write: Decimal | None = setting(
        None,
        help="Input tokens written to a cache. Not set: as `input`.",
        unit="USD per million tokens",
        at_least=0,
    )
    output: Decimal = setting(
        Decimal(0),
        help="Output tokens, those of reasoning included.",
        unit="USD per million tokens",
        at_least=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringSettings:
    """``[metering]``"""

    org: str = setting(
        "",
        help="The org whose costs metered responses are. Empty: nothing is metered.",
        unit="at most 256 characters",
        check=_org_problem,
    )
    source: str = setting(
        "metering",
        help="The cost source that they are stored under.",
        unit="1 to 200 characters",
        check=_source_problem,
    )
    paths: tuple[str, ...] = setting(
        (
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
            "/v1/messages",
        ),
        help="Paths whose `POST` requests are metered. `*` stands for one segment.",
        check=_paths_problem,
    )
    customer_headers: tuple[str, ...] = setting(
        (
            "x-nullspend-customer",
            "x-nullspend-tags",
            "x-litellm-customer-id",
            "x-litellm-end-user-id",
        ),
        help="Request headers that name a customer, the first one first. Those that are not "
        "trusted are removed before the app sees the request.",
        check=_headers_problem,
    )
    trusted_headers: tuple[str, ...] = setting(
        (),
        help="Which of them are believed. Only those that something of yours sets on every "
        "request, whatever the client sent.",
        check=_headers_problem,
    )
    customer: str = setting(
        "",
        help="A function of yours as `module:function` that tells the customer of an ASGI scope; "
        "it is asked before any header.",
        check=_function_problem,
    )
    provider: str = setting(
        "",
        help="Who is paid, for example `openai`. Empty: whoever the price library finds, else "
        "`gateway`.",
        unit="at most 100 characters",
        check=lambda value: text_problem(value, at_least=0, at_most=100),
    )
    cost_headers: tuple[str, ...] = setting(
        ("x-litellm-response-cost",),
        help="Response headers that hold the cost in US dollars, the first one first.",
        check=_headers_problem,
    )
    prices: Mapping[str, ModelPrice] = setting(
        help='A table for each model, `[metering.prices."MODEL"]`, with `input`, '
        "`cached_input`, `cache_write` and `output` in US dollars per million tokens.",
        factory=lambda: MappingProxyType({}),
    )
    price_library: PriceLibrary = setting(
        "none",
        help="Where prices of models without a table come from. `genai-prices` needs the extra "
        "`prices`.",
    )

    def __post_init__(self) -> None:
        unknown = [each for each in self.trusted_headers if each not in self.customer_headers]
        if unknown:
            raise ValueError(f"trusted_headers has {unknown[0]}, which customer_headers has not")
        if not self.org and (given := self._given()):
            raise ValueError(f"org is missing, so nothing would be metered in spite of {given}")

    def _given(self) -> str:
        """The first key that is set to something; the empty string if none is."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "prices":
                if value:
                    return each.name
            elif value != each.default:
                return each.name
        return ""
