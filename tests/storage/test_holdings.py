"""What is counted is what disconnecting deletes."""

from __future__ import annotations

from sqlalchemy import Connection

from nullspend_margins.domain.mapping_changes import Pair
from nullspend_margins.domain.period import Period
from nullspend_margins.storage import alerts, holdings, mappings, revenue
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.holdings import Holdings
from tests.storage.alerting import enqueue
from tests.storage.builders import NOVEMBER, ORG, invoice, mapping, put_mappings, sync

NOTHING = Holdings(0, 0, 0, 0, 0, None, None)


async def test_what_is_stored_of_a_provider_is_counted_and_goes(database: Database) -> None:
    facts = [
        invoice("in_1"),
        invoice("in_2", customer_id="cus_2"),
        invoice("in_3", occurred_at=NOVEMBER.shift(-2).start),
        invoice("in_4", customer_id=None),
    ]

    def fill(tx: Connection) -> None:
        sync(tx, facts)
        put_mappings(tx, mapping("cus_1", "acme"))
        mappings.turn_down(tx, ORG, [Pair("stripe", "customer", "cus_2", "beta")], [])
        enqueue(tx)

    await database.write(fill)
    assert await database.read(lambda tx: holdings.of_provider(tx, ORG, "stripe")) == Holdings(
        revenue_rows=4,
        customers=2,
        mappings=1,
        rejections=1,
        alerts=1,
        first=Period.parse("2026-09"),
        last=NOVEMBER,
    )
    for other in (("org_2", "stripe"), (ORG, "csv")):
        assert await database.read(lambda tx, o=other: holdings.of_provider(tx, *o)) == NOTHING
    for delete in (revenue.delete_provider, mappings.delete_provider, alerts.delete_provider):
        await database.write(lambda tx, delete=delete: delete(tx, ORG, "stripe"))
    assert await database.read(lambda tx: holdings.of_provider(tx, ORG, "stripe")) == NOTHING
