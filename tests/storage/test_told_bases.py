"""Which bases there is any revenue by, in one month of one org."""

from nullspend_margins.domain.revenue_part import Basis, RevenuePart
from nullspend_margins.storage import month_revenue
from nullspend_margins.storage.database import Database
from tests.storage.builders import NOVEMBER, NOW, ORG, invoice, sync


def part(*bases: Basis, cents: int = 100) -> RevenuePart:
    return RevenuePart(bases=bases, kind="payment", amount_minor=cents, occurred_at=NOW)


async def test_the_bases_of_any_customer_are_told_in_their_order(database: Database) -> None:
    facts = [
        invoice("1", parts=(part("net", "invoiced"),)),
        invoice("2", customer_id="cus_2", parts=(part("accrual", cents=-5),)),
    ]
    other = invoice("1", parts=(part("cash"),))
    await database.write(lambda tx: sync(tx, facts))
    await database.write(lambda tx: sync(tx, [other], org_id="org_2"))
    told = await database.read(
        lambda tx: [
            month_revenue.told_bases(tx, org_id, period)
            for org_id, period in ((ORG, NOVEMBER), ("org_2", NOVEMBER), (ORG, NOVEMBER.shift(-1)))
        ]
    )
    assert told == [["invoiced", "net", "accrual"], ["cash"], []]
