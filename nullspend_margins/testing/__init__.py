"""Suites that plugin authors subclass: does my object keep its protocol?

::

    from nullspend_margins.testing import PlanCheckerSuite

    class TestAcmePlans(PlanCheckerSuite):
        plans = {"org_1": "pro"}

        def make(self):
            return AcmePlans(...)

pytest finds the class and runs each rule as a test. Needs pytest and nothing else: rules that
await run an event loop of their own. Every suite and rule is in docs/testing-plugins.md.
"""

from __future__ import annotations

try:
    import pytest as _pytest  # noqa: F401 - here, so that its absence is told in these words
except ModuleNotFoundError as _problem:
    raise ModuleNotFoundError(
        "nullspend_margins.testing needs pytest, which is not installed: pip install pytest",
        name=_problem.name,
    ) from _problem

from nullspend_margins.testing.aggregating_costs import AggregatingCostSourceSuite
from nullspend_margins.testing.authenticator import AuthenticatorSuite
from nullspend_margins.testing.notifier import NotifierSuite
from nullspend_margins.testing.plan_checker import PlanCheckerSuite
from nullspend_margins.testing.pulled_costs import PulledCostSourceSuite
from nullspend_margins.testing.revenue_reading import RevenueProviderSuite
from nullspend_margins.testing.samples import (
    HOSTILE_NAMES,
    FixedClock,
    http_scope,
    sample_alert,
    sample_stale_alert,
)
from nullspend_margins.testing.service import FakeService

__all__ = [
    "HOSTILE_NAMES",
    "AggregatingCostSourceSuite",
    "AuthenticatorSuite",
    "FakeService",
    "FixedClock",
    "NotifierSuite",
    "PlanCheckerSuite",
    "PulledCostSourceSuite",
    "RevenueProviderSuite",
    "http_scope",
    "sample_alert",
    "sample_stale_alert",
]
