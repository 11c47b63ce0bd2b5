"""The alert that docs/plugins.md shows is one that the product sends."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from nullspend_margins import Period
from tests.contract.alerting import Listener, falling, synced
from tests.docs.taken import taken
from tests.world import world

[SHOWN] = taken("json", page="plugins.md")


async def test_the_alert_that_the_docs_show_is_one_that_is_sent(database_url: str) -> None:
    shown = json.loads(SHOWN.text)
    about = shown["data"]["object"]
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        await falling(here)
        await here.sync()
        await synced(here)
        (alert,) = listener.heard
    sent = alert["data"]["object"]
    assert [*alert] == [*shown]
    assert alert["api_version"] == shown["api_version"]
    assert [*sent] == [*about]
    assert [*sent["customer"]] == [*about["customer"]]
    same = ("margin", "revenue_microdollars", "cost_microdollars")
    assert {name: sent[name] for name in same} == {name: about[name] for name in same}
    assert datetime.fromtimestamp(shown["created_at"], UTC).strftime("%Y-%m") == about["period"]
    assert about["period"] == str(Period.parse(about["period"]))
