"""The customers of the sample company.

A cost is told in percent of the customer's monthly price, for the month three before the current
one first and the current one last; ``None`` for a month in which the customer was not there. The
last number decides the health tier that the table shows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

MONTHS = 4
"""The months a sync reads: the current one and three before."""

Share = int | None
Shares = tuple[Share, Share, Share, Share]
Join = Literal["hand", "metadata", "id", "nothing"]
"""How a customer gets its mapping: a person, one of the two auto-match rules, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCustomer:
    """A customer, what it pays (``price`` in whole units of its currency a month) and costs.

    ``annual`` is how many months ago the yearly invoice was sent, ``None`` for a monthly plan.
    ``unpaid`` lists how many months ago an invoice is still open, ``late`` one that was paid a
    month after. ``tax_percent`` is in the price. ``refunded`` and ``credited`` list how many
    months ago half of what was paid was given back: the latter with a credit note.
    """

    name: str
    tag: str
    price: int
    shares: Shares
    join: Join = "hand"
    billing_day: int = 1
    annual: int | None = None
    currency: str = "usd"
    unpaid: tuple[int, ...] = ()
    late: tuple[int, ...] = ()
    refunded: tuple[int, ...] = ()
    credited: tuple[int, ...] = ()
    disputed: tuple[int, ...] = ()
    tax_percent: int = 0
    deleted: bool = False

    @property
    def id(self) -> str:
        """The Stripe customer id, the same in every run."""
        return f"cus_{hashlib.sha256(self.name.encode()).hexdigest()[:14]}"

    @property
    def tag_value(self) -> str:
        """The company's own name for the customer, as on cost events."""
        return self.id if self.join == "id" else self.tag

    @property
    def email(self) -> str:
        """A billing address that reaches nobody."""
        return f"billing@{hashlib.sha256(self.tag.encode()).hexdigest()[:8]}.example"


def _customer(name: str, tag: str, price: int, *shares: Share, **others: object) -> SampleCustomer:
    first, second, third, current = shares
    return SampleCustomer(
        name=name,
        tag=tag,
        price=price,
        shares=(first, second, third, current),
        **others,  # type: ignore[arg-type]  # the fields of SampleCustomer
    )


_HEALTHY = (
    _customer("Acme Robotics", "acme-robotics", 129, 28, 31, 30, 33),
    _customer("O'Reilly & Sons", "oreilly-and-sons", 49, 22, 25, 21, 24, billing_day=2),
    _customer("Café Übermorgen GmbH", "cafe-uebermorgen", 29, 35, 33, 38, 36, tax_percent=19),
    _customer(
        "Łódź Analytics", "lodz-analytics", 79, 41, 40, 44, 42, billing_day=3, tax_percent=23
    ),
    _customer("Northwind Traders", "northwind", 249, 18, 19, 22, 20, late=(2,)),
    _customer("株式会社あおぞら", "aozora", 129, 30, 28, 27, 29),
    _customer("Zoë's Robots", "zoë-robots", 49, 12, 14, 11, 13, billing_day=5),
    _customer("Globex Corporation", "globex/eu-west", 249, 22, 30, 38, 45, tax_percent=20),
    _customer("Umbrella Health", "umbrella-health", 79, None, 20, 24, 22),
    _customer("Soylent Foods, Inc.", "soylent-foods", 29, 44, 39, 36, 31, billing_day=2),
    _customer("Wayne Logistics", "wayne-logistics", 399, 15, 16, 14, 17),
)
_MODERATE = (
    _customer("Initech", "initech", 79, 48, 55, 61, 66, refunded=(1,)),
    _customer("Hooli Search", "hooli-search", 249, 60, 58, 62, 64, billing_day=4, credited=(1,)),
    _customer("Pied Piper", "pied-piper", 49, 72, 66, 60, 57),
    _customer("Vandelay Imports", "vandelay", 29, None, None, 58, 63, late=(1,)),
    _customer("Cyberdyne Support", "cyberdyne", 129, 54, 60, 67, 74),
    _customer("Ñandú Turismo S.A.", "ñandú turismo", 49, 68, 70, 67, 69),
    _customer("Stark Fabrication", "stark-fabrication", 399, 38, 41, 44, 56),
)
_AT_RISK = (
    _customer("Wonka Retail", "wonka-retail", 79, 64, 69, 74, 88, disputed=(1,)),
    _customer("Tyrell Biometrics", "tyrell", 129, 90, 88, 92, 91, billing_day=3),
    _customer("Dunder Mifflin Paper", "dunder-mifflin", 49, 82, 85, 89, 94),
    _customer("Bluth Homes", "bluth-homes", 29, None, 60, 73, 85),
    _customer("MacGuffin d'Été", "macguffin-d-ete", 79, 93, 92, 95, 93),
)
_CRITICAL = (
    _customer("Gringotts Chatbot", "gringotts", 49, 85, 95, 108, 121),
    _customer("Oscorp Agents", "oscorp-agents", 129, 112, 125, 131, 142),
    _customer("+Plus Analytics", "plus-analytics", 29, 75, 83, 93, 111),
    _customer("Sirius Cybernetics", "sirius", 249, 60, 70, 77, 113, billing_day=2),
    _customer("100% Juice", "100%-juice", 49, 131, 122, 116, 109),
)
# Invoiced once a year: revenue in one month, costs in all of them.
_ANNUAL = (
    _customer("Aperture Science", "aperture-science", 79, 30, 32, 31, 35, annual=0),
    _customer("Black Mesa Research", "black-mesa", 129, 28, 30, 29, 31, annual=1),
    _customer("Massive Dynamic", "massive-dynamic", 49, 40, 41, 39, 43, annual=2, tax_percent=20),
    _customer("Buy n Large", "buy-n-large", 249, 22, 25, 24, 26, annual=7),
)
_AUTOMATIC = (
    _customer("Delta LLC", "delta-llc", 49, 30, 33, 35, 34, join="metadata"),
    _customer("Ångström Labs", "angstrom-labs", 79, 58, 61, 60, 65, join="metadata"),
    _customer("Kestrel AI", "kestrel-ai", 29, None, 78, 84, 90, join="metadata"),
    _customer("Juniper & Oak", "juniper-oak", 29, 25, 27, 26, 28, join="id"),
    _customer("Hélio Énergie", "helio-energie", 79, 52, 55, 57, 62, join="id"),
    _customer("Fjörður Fisheries", "fjordur", 49, 97, 104, 110, 117, join="id"),
)
_ODD = (
    _customer("Prestige Worldwide", "prestige", 79, 44, 47, 46, 45, unpaid=(0,)),
    _customer("Zürcher Käse AG", "zuercher-kaese", 49, 33, 35, 34, 36, currency="eur"),
    _customer("Gone Fishing Co", "gone-fishing", 29, 62, 55, None, None),
)
_UNMATCHED = (
    _customer("BetaCo", "betaco", 19, 0, 0, 0, 0, join="nothing"),
    _customer("Contoso Ltd", "contoso", 129, None, 0, 0, 0, join="nothing"),
    _customer("Ŝtono kaj Akvo", "stono", 29, 0, 0, 0, 0, join="nothing"),
    _customer("Omni Products", "omni", 49, 0, 0, None, None, join="nothing", deleted=True),
)

CUSTOMERS: tuple[SampleCustomer, ...] = (
    *_HEALTHY,
    *_MODERATE,
    *_AT_RISK,
    *_CRITICAL,
    *_ANNUAL,
    *_AUTOMATIC,
    *_ODD,
    *_UNMATCHED,
)

UNMAPPED_TAGS: tuple[tuple[str, int], ...] = (
    ("internal-sandbox", 46),
    ("gamma-inc", 38),
    ("trial/8841", 12),
    ("contoso-trial", 7),
    ("émilie (pilot)", 3),
)
"""Tag values without a mapping, with their cost in dollars a month."""

UNATTRIBUTED_DOLLARS = 11
"""What is spent a month on requests that name no customer."""
