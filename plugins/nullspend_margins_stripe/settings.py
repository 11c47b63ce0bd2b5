"""What ``[plugins.stripe]`` may say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_API_BASE = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def _api_base_problem(value: str) -> str | None:
    fits = _API_BASE.fullmatch(value)
    return None if fits else "must be an http:// or https:// URL without user, query or fragment"


def _metadata_key_problem(value: str) -> str | None:
    return None if 1 <= len(value) <= 40 else "must have 1 to 40 characters, as in Stripe"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSettings:
    """Settings of the Stripe provider; every one has a default that fits production."""

    api_base: str = field(
        default="https://api.stripe.com",
        metadata={
            "help": "Where Stripe's API is; a proxy's or a test server's URL",
            "unit": "URL",
            "check": _api_base_problem,
        },
    )
    retry_seconds: float = field(
        default=20,
        metadata={
            "help": "How long a request that fails is tried again, from its first failure on; "
            "0 tries once",
            "unit": "seconds",
            "at_least": 0,
            "at_most": 3600,
        },
    )
    requests_per_second: float = field(
        default=20,
        metadata={
            "help": "The most requests sent to Stripe for one key, in this process; 0 is no limit",
            "unit": "requests per second",
            "at_least": 0,
            "at_most": 1000,
        },
    )
    timeout_seconds: float = field(
        default=8,
        metadata={
            "help": "The longest one request to Stripe may take",
            "unit": "seconds",
            "at_least": 0.01,
            "at_most": 600,
        },
    )
    concurrency: int = field(
        default=4,
        metadata={
            "help": "Lists (a month of invoices, the refunds, ...) that one sync reads at once",
            "unit": "requests",
            "at_least": 1,
            "at_most": 16,
        },
    )
    page_size: int = field(
        default=100,
        metadata={
            "help": "Invoices, refunds and the like asked for at a time; 100 is Stripe's limit",
            "unit": "objects",
            "at_least": 1,
            "at_most": 100,
        },
    )
    customer_metadata_key: str = field(
        default="nullspend_customer",
        metadata={
            "help": "The key in a Stripe customer's metadata that holds its tag value",
            "unit": "1 to 40 characters",
            "check": _metadata_key_problem,
        },
    )
    late_months: int = field(
        default=12,
        metadata={
            "help": "How many months before those of a sync are looked through for invoices that "
            "were paid late, and for what became of refunds and credit notes: the first time, then "
            "once a week (once a day where the key may not read events), and when a backfill "
            "begins; 0 looks at none",
            "unit": "months",
            "at_least": 0,
            "at_most": 120,
        },
    )
