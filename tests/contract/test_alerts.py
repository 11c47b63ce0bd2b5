import asyncio

from tests.world import KEY, World, event, unix, world


class Listener:
    """A host's notifier that can be made to fail."""

    name = "listener"

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.fails = False

    async def notify(self, alert: object) -> None:
        if self.fails:
            raise ConnectionError("nobody there")
        self.heard.append(dict(alert.payload))


class Broken:
    name = "broken"

    async def notify(self, alert: object) -> None:
        raise RuntimeError("always")


async def falling(here: World) -> None:
    """A customer that was healthy in October and loses money in November."""
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 10, 3))
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "one")
    await here.spend("one", 75_000_000, occurredAt="2026-10-05T00:00:00Z")
    await here.spend("one", 105_000_000)
    await here.connect(KEY)


async def delivered(here: World) -> None:
    """Everything that is due, once what the sync began to deliver by itself is out."""
    services = await here.margins.services()
    await asyncio.gather(*services.sync._running, return_exceptions=True)
    await services.alerts.deliver_due()


async def test_a_tier_that_got_worse_is_told_once(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener, Broken()]) as here:
        await falling(here)
        await here.sync()
        await here.sync()
        await delivered(here)
        (alert,) = listener.heard
        assert alert.pop("id").startswith("evt_")
        assert alert.pop("api_version")
        assert alert == {
            "type": "margin.threshold_crossed",
            "created_at": int(here.clock.now().timestamp()),
            "data": {
                "object": {
                    "customer": {"stripeId": "cus_1", "name": "One", "tagValue": "one"},
                    "margin": {
                        "previous": 0.25,
                        "current": -0.05,
                        "previousTier": "moderate",
                        "currentTier": "critical",
                    },
                    "revenue_microdollars": 100_000_000,
                    "cost_microdollars": 105_000_000,
                    "period": "2026-11",
                }
            },
        }


async def test_an_undelivered_alert_is_kept_and_tried_again_by_cron(database_url: str) -> None:
    listener = Listener()
    listener.fails = True
    async with world(database_url, plugins=[listener]) as here:
        await falling(here)
        await here.cron()
        assert listener.heard == []
        listener.fails = False
        await here.cron()
        assert listener.heard == []  # not due yet
        here.clock.advance(minutes=10)
        await here.cron()
        assert len(listener.heard) == 1


async def test_improvements_and_new_customers_raise_nothing(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        here.account.add_invoice("cus_new", 100, created=unix(2026, 11, 3))
        here.account.add_invoice("cus_up", 100, created=unix(2026, 10, 3))
        here.account.add_invoice("cus_up", 10_000, created=unix(2026, 11, 3))
        for customer in ("cus_new", "cus_up"):
            await here.map(customer, customer)
            await here.spend(customer, 5_000_000)
        await here.post_event(
            event(customer="cus_up", costMicrodollars=9_000_000, occurredAt="2026-10-05T00:00:00Z")
        )
        await here.connect()
        await here.sync()
        await delivered(here)
        assert listener.heard == []


async def test_costs_ahead_of_the_invoice_wait_for_it(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 10, 25))
        await here.map("cus_1", "one")
        await here.spend("one", 1_000_000)
        await here.spend("one", 1_000_000, occurredAt="2026-10-05T00:00:00Z")
        await here.connect()
        await here.sync()
        await delivered(here)
        assert listener.heard == []
        here.clock.advance(days=7)
        await here.sync()
        await delivered(here)
        assert [alert["data"]["object"]["margin"]["currentTier"] for alert in listener.heard] == [
            "critical"
        ]


async def test_disconnecting_takes_the_alerts_along(database_url: str) -> None:
    listener = Listener()
    listener.fails = True
    async with world(database_url, plugins=[listener]) as here:
        await falling(here)
        await here.cron()
        await here.call("DELETE", "/api/stripe/disconnect")
        listener.fails = False
        here.clock.advance(days=1)
        await delivered(here)
        assert listener.heard == []


class Invoices:
    """Another provider: one customer with an invoice in October and none in November."""

    name = "other"

    async def parse_credential(self, body: object) -> object:
        from nullspend_margins import Credential

        return Credential(secret="s", label="other")

    async def check_credential(self, secret: str) -> None:
        pass

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    async def fetch_revenue(self, secret: str, window: object):
        from datetime import UTC, datetime

        from nullspend_margins import RevenueFact

        yield [
            RevenueFact(
                object_id="1",
                customer_id="o_1",
                amount_minor=10_000,
                currency="usd",
                occurred_at=datetime(2026, 10, 25, tzinfo=UTC),
            )
        ]


async def test_any_providers_invoice_is_waited_for(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener, Invoices()]) as here:
        await here.map("cus_1", "one")
        await here.map("o_1", "one", provider="other")
        await here.spend("one", 1_000_000)
        await here.spend("one", 1_000_000, occurredAt="2026-10-05T00:00:00Z")
        assert (await here.call("POST", "/api/connections/other", {})).status_code == 201
        assert (await here.call("POST", "/api/connections/other/sync")).status_code == 200
        await delivered(here)
        assert listener.heard == []
        here.clock.advance(days=7)
        assert (await here.call("POST", "/api/connections/other/sync")).status_code == 200
        await delivered(here)
        assert len(listener.heard) == 1
