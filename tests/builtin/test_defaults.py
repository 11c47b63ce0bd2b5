"""The other built-in plugins: plans, the log, and the local cost store."""

from __future__ import annotations

import logging

import pytest

from nullspend_margins import Alert
from nullspend_margins.builtin import builtin_plugins
from nullspend_margins.builtin.log_notifier import LogNotifier
from nullspend_margins.builtin.plans import TomlPlanChecker
from nullspend_margins.config import config_from_mapping
from nullspend_margins.plugins import load_plugins


async def test_orgs_that_are_not_listed_are_free() -> None:
    checker = TomlPlanChecker({"org_1": "pro"})
    assert await checker.plan("org_1") == "pro"
    assert await checker.plan("org_2") == "free"


async def test_the_plan_checker_reads_the_configuration() -> None:
    config = config_from_mapping({"plans": {"orgs": {"org_1": "enterprise"}}}, keep_secrets=False)
    registry = load_plugins(config, builtins=builtin_plugins(config))
    assert await registry.plan_checkers[-1].plan("org_1") == "enterprise"


async def test_an_alert_is_one_line_whatever_is_in_a_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    payload = {"name": "Acme\nERROR forged"}
    alert = Alert(
        alert_id="evt_1", org_id="org_1", type="margin.threshold_crossed", payload=payload
    )
    with caplog.at_level(logging.WARNING, "nullspend_margins.alerts"):
        await LogNotifier().notify(alert)
    (message,) = caplog.messages
    assert message.startswith("margin.threshold_crossed evt_1 in org org_1: {")
    assert "\n" not in message
