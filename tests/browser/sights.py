"""Everything that there is to see: an address for every page, and who looks at it."""

from __future__ import annotations

from typing import NamedTuple

from tests.browser.products import FREE_ORG, NEW_ORG, ORG


class Sight(NamedTuple):
    """A page as somebody sees it. ``path`` is below where the product is mounted."""

    name: str
    path: str
    status: int = 200
    role: str | None = "admin"
    org: str = ORG

    def __str__(self) -> str:
        return self.name


PAGES = {
    "": Sight("margins", "/margins"),
    "/customers/{customer:path}": Sight("customer", "/margins/customers/globex%2Feu-west"),
    "/matching": Sight("matching", "/margins/matching"),
    "/matching/upload": Sight("matching-upload", "/margins/matching/upload"),
    "/connect": Sight("connect", "/margins/connect"),
}
"""One for each line of the dashboard's table that is read."""

STATES = (
    *(
        Sight(f"{name}-nothing-yet", path, org=NEW_ORG)
        for name, path in (
            ("margins", "/margins"),
            ("matching", "/margins/matching"),
            ("connect", "/margins/connect"),
        )
    ),
    *(
        Sight(f"{sight.name}-viewer", sight.path, role="viewer")
        for sight in PAGES.values()
        if sight.name in {"customer", "matching", "connect"}
    ),
    Sight("matching-mapped", "/margins/matching?show=mapped"),
    Sight("matching-nothing-found", "/margins/matching?q=nobody"),
    Sight("signed-out", "/margins", status=401, role=None),
    Sight("free-plan", "/margins", status=403, org=FREE_ORG),
    Sight("no-such-customer", "/margins/customers/nobody-knows", status=404),
    Sight("no-month", "/margins?period=2026-13", status=400),
)

EVERYTHING = (*PAGES.values(), *STATES)
