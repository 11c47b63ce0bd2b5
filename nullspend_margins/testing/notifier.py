"""The rules of a notifier."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from functools import partial

from nullspend_margins.domain.alert import Alert
from nullspend_margins.domain.text import without_breaks
from nullspend_margins.errors import MarginsError
from nullspend_margins.protocols import Notifier
from nullspend_margins.testing.logs import logged_lines
from nullspend_margins.testing.outcomes import outcome, require_answer, shortened
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.samples import (
    HOSTILE_NAMES,
    sample_alert,
    sample_stale_alert,
    unknown_alert,
)
from nullspend_margins.testing.suite import PluginSuite, Question

_AT_ONCE = 5


class NotifierSuite(PluginSuite[Notifier]):
    """Write ``received``, or at least ``make_failing``."""

    tells_id: bool = True
    """``False`` for a notifier that writes to people and leaves ``alert_id`` out."""

    secrets: Sequence[str] = ()
    """What of its settings is nobody's business: the token, the secret part of the URL."""

    _kind = "notifier"

    def make_failing(self) -> Notifier:
        """One whose target does not take alerts."""
        if not self._sees_arrivals:
            self._fail(
                "has neither received(), what arrived so far, nor make_failing(), an object whose "
                "target refuses alerts; write one of them, at best both"
            )
        self._skip("make_failing", "an object whose target refuses alerts")

    def received(self, notifier: Notifier) -> Sequence[str]:  # noqa: ARG002 - for subclasses
        """What arrived from ``notifier`` so far, each delivery as one text, headers too."""
        self._skip("received", "a way to see what arrived")

    def _questions(self) -> Sequence[Question[Notifier]]:
        alerts = [
            sample_alert(),
            sample_alert(alert_id="evt_2", name=None),
            sample_stale_alert(alert_id="evt_3"),
        ]
        return [Question(f"notify({each.alert_id})", partial(_notify, each)) for each in alerts]

    @rule
    async def test_an_alert_is_delivered(self) -> None:
        """`notify` of the sample alert raises nothing, and with `received`, one delivery arrives.

        Why: what returns counts as delivered and is never tried again.
        To do: await the delivery; a task in the background may be lost.
        """
        notifier = self._made()
        require_answer("notify", await outcome(notifier.notify(sample_alert())))
        if self._sees_arrivals:
            arrived = self.received(notifier)
            if len(arrived) != 1:
                raise RuleBroken(
                    f"notify returned, and {len(arrived)} deliveries have arrived",
                    guess="it starts a task and does not wait for it" if not arrived else None,
                )

    @rule
    async def test_what_arrives_says_who(self) -> None:
        """The delivery names the customer: its name, tag value or id. Needs `received`.

        Why: an alert that does not say whom it is about helps nobody.
        To do: `alert.payload["data"]["object"]["customer"]`.
        """
        [*arrived] = await self._deliver(sample_alert(tag_value="zebra-7"))
        for text in arrived:
            if not any(word in text for word in ("Acme Corp", "zebra-7", "cus_abc123")):
                raise RuleBroken(f"nothing of the customer is in {shortened(text)}")

    @rule
    async def test_the_same_alert_keeps_its_id(self) -> None:
        """Delivered twice, both have `alert_id` in them, unless `tells_id` is `False`.

        Why: after a crash the same alert comes again; receivers tell it by its id.
        To do: send `alert.alert_id` (it is in the payload too), no id of your own.
        """
        if not self.tells_id:
            self._skip("ids in its deliveries", "tells_id is False")
        alert = sample_alert(alert_id="evt_repeated_77")
        for text in await self._deliver(alert, alert):
            if alert.alert_id not in text:
                raise RuleBroken(f"{alert.alert_id} is not in {shortened(text)}")

    @rule
    async def test_a_failed_delivery_is_raised(self) -> None:
        """`notify` raises when its target does not take the alert. Needs `make_failing`.

        Why: an alert that is not delivered is kept and tried again, but only after an exception.
        To do: `response.raise_for_status()`, and no `except` that only logs.
        """
        found = await outcome(self.make_failing().notify(sample_alert()))
        if not isinstance(found, Exception):
            raise RuleBroken("notify returned as if the alert had been delivered")

    @rule
    async def test_a_failure_tells_no_secret(self) -> None:
        """A product's error has none of `secrets` in it. Needs `make_failing` and `secrets`.

        Why: of these errors the message is logged and shown; of others only the class.
        To do: name the host and the status, not the URL: it may hold a token.
        """
        if not self.secrets:
            self._skip("secrets", "what of its settings must not be shown")
        found = await outcome(self.make_failing().notify(sample_alert()))
        if isinstance(found, MarginsError) and any(
            secret in f"{found.message} {found.details}" for secret in self.secrets
        ):
            raise RuleBroken(f"the message of {type(found).__name__} tells a secret")

    @rule
    async def test_no_log_line_tells_a_secret(self) -> None:
        """No line of the log, INFO and above, has one of `secrets` in it. Needs `secrets`.

        Why: logs are kept longer, and read by more people, than a configuration.
        To do: post by `context.outbound`: it logs no URL, while `context.http`, as httpx does,
        logs each. Don't log settings.
        """
        if not self.secrets:
            self._skip("secrets", "what of its settings must not be shown")
        with logged_lines() as lines:
            await self._ask_all(self._made())
        for line in lines:
            if any(secret in line for secret in self.secrets):
                raise RuleBroken(f"a line of the log tells a secret: {line.partition(':')[0]}")

    @rule
    async def test_any_name_is_delivered(self) -> None:
        """Quotes, markup, format signs, line breaks, emoji and no name at all raise nothing.

        Why: names come from customers. An alert that fails each time is never delivered.
        To do: escape for where it goes (HTML, Markdown, JSON), build JSON with a library, and
        don't use a name as a format string. `name` may be `None`.
        """
        notifier = self._made()
        for name in (*HOSTILE_NAMES, None):
            tag_value = without_breaks(name or "acme-corp")  # which have none
            for alert in (sample_alert(name=name), sample_alert(tag_value=tag_value)):
                found = await outcome(notifier.notify(alert))
                require_answer(f"notify, with the customer {name!r},", found)

    @rule
    async def test_an_alert_of_any_type_is_delivered(self) -> None:
        """`cost_source.stale`, and a type that is not known yet, raise nothing.

        Why: they speak of no customer. One that raises each time is never delivered.
        To do: look at `alert.type`, and send what you don't know as it is.
        """
        notifier = self._made()
        for alert in (sample_stale_alert(), sample_stale_alert(last_error=None), unknown_alert()):
            found = await outcome(notifier.notify(alert))
            require_answer(f"notify, with the type {alert.type},", found)

    @rule
    async def test_alerts_at_the_same_time_all_arrive(self) -> None:
        """Alerts that are notified at the same time arrive once each. Needs `received`.

        Why: a sync may raise many, and up to ten are delivered at once.
        To do: keep what belongs to one alert in local variables.
        """
        alerts = [
            sample_alert(alert_id=f"evt_at_once_{n}", name=f"Zebra {n}z", tag_value=f"zebra-{n}z")
            for n in range(_AT_ONCE)
        ]
        notifier = self._made()
        await asyncio.gather(*(outcome(notifier.notify(alert)) for alert in alerts))
        arrived = self.received(notifier)
        for number, alert in enumerate(alerts):
            words = (alert.alert_id, f"Zebra {number}z", f"zebra-{number}z")
            count = sum(any(word in text for word in words) for text in arrived)
            if count != 1:
                raise RuleBroken(f"of {_AT_ONCE} alerts, one arrived {count} times")

    @rule
    async def test_the_alert_is_left_as_it_was(self) -> None:
        """The alert and its payload are the same after the call.

        Why: the next notifier gets the same one.
        To do: copy what you want to change: `copy.deepcopy(alert.payload)`.
        """
        alert, notifier = sample_alert(), self._made()
        before = copy.deepcopy(alert.payload)
        await outcome(notifier.notify(alert))
        if alert.payload != before:
            raise RuleBroken(f"the payload became {shortened(alert.payload)}")

    @property
    def _sees_arrivals(self) -> bool:
        return type(self).received is not NotifierSuite.received

    async def _deliver(self, *alerts: Alert) -> Sequence[str]:
        notifier = self._made()
        for alert in alerts:
            await outcome(notifier.notify(alert))
        return self.received(notifier)


async def _notify(alert: Alert, notifier: Notifier) -> None:
    await notifier.notify(alert)
