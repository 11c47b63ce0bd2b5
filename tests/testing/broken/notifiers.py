"""A notifier that keeps every rule, and those that each break one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import uuid4

from nullspend_margins import (
    Alert,
    ServiceUnavailable,
)
from nullspend_margins.testing import (
    NotifierSuite,
)
from tests.testing.support import network


class Hook:
    name = "hook"
    host = "hooks.example.com"

    def __init__(self, *, status: int = 200) -> None:
        self.sent: list[str] = []
        self.status = status

    async def notify(self, alert: Alert) -> None:
        await self.send(f"{alert.alert_id} {alert.payload}")

    async def send(self, text: str) -> None:
        await network()
        if self.status != 200:
            raise ServiceUnavailable(f"{self.host} answered HTTP {self.status}.")
        self.sent.append(text)


class HookRules(NotifierSuite):
    plugin: ClassVar[type[Hook]] = Hook
    secrets = ("secret-of-the-hook",)

    def make(self) -> Hook:
        return self.plugin()

    def make_failing(self) -> Hook:
        return self.plugin(status=500)

    def received(self, notifier: Any) -> Sequence[str]:
        return list(notifier.sent)


class DoesNotWait(Hook):
    async def notify(self, alert: Any) -> None:
        if self.status == 200 and alert.alert_id.startswith("evt_5c1e"):
            self.later = asyncio.create_task(super().notify(alert))
        else:
            await super().notify(alert)


class SaysLittle(Hook):
    async def notify(self, alert: Any) -> None:
        await self.send(alert.alert_id)


class MakesAnId(Hook):
    async def notify(self, alert: Any) -> None:
        await self.send(f"{uuid4()} {alert.payload['data']}")


class OnlyLogs(Hook):
    async def send(self, text: str) -> None:
        if self.status == 200:
            await super().send(text)


class NamesItsUrl(Hook):
    host = "hooks.example.com/T000/secret-of-the-hook"


class LogsItsUrl(Hook):
    async def send(self, text: str) -> None:
        logging.getLogger("acme").info("POST https://hooks.example.com/secret-of-the-hook")
        await super().send(text)


class FormatsNames(Hook):
    async def notify(self, alert: Any) -> None:
        customer = alert.payload["data"]["object"].get("customer", {})
        (customer.get("name") or "").format(name="x")
        await super().notify(alert)


class KeepsTheAlert(Hook):
    async def notify(self, alert: Any) -> None:
        self.alert = alert
        await network()
        await super().notify(self.alert)


class WantsACustomer(Hook):
    async def notify(self, alert: Any) -> None:
        customer = alert.payload["data"]["object"]["customer"]
        await self.send(f"{alert.alert_id} {customer}")


class ChangesTheAlert(Hook):
    async def notify(self, alert: Any) -> None:
        await super().notify(alert)
        alert.payload["data"]["object"]["sent"] = True


NOTIFIERS: dict[str, type] = {
    "test_an_alert_is_delivered": DoesNotWait,
    "test_what_arrives_says_who": SaysLittle,
    "test_the_same_alert_keeps_its_id": MakesAnId,
    "test_a_failed_delivery_is_raised": OnlyLogs,
    "test_a_failure_tells_no_secret": NamesItsUrl,
    "test_no_log_line_tells_a_secret": LogsItsUrl,
    "test_any_name_is_delivered": FormatsNames,
    "test_an_alert_of_any_type_is_delivered": WantsACustomer,
    "test_alerts_at_the_same_time_all_arrive": KeepsTheAlert,
    "test_the_alert_is_left_as_it_was": ChangesTheAlert,
}
