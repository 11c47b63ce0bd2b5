"""Everything that there is to see: an address for every page, and who looks at it."""

from __future__ import annotations

from typing import NamedTuple

from nullspend_margins.dashboard import routes
from nullspend_margins.domain.access import Role
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


DOWNLOADS = {"/matching/unmatched.csv"}
"""Files, which no page shows."""

_KNOWN = {
    "": Sight("margins", "/margins"),
    "/customers/{customer:path}": Sight("customer", "/margins/customers/globex%2Feu-west"),
    "/matching": Sight("matching", "/margins/matching"),
    "/matching/upload": Sight("matching-upload", "/margins/matching/upload"),
    "/connect": Sight("connect", "/margins/connect"),
    "/connect/{provider}": Sight("provider", "/margins/connect/stripe"),
    "/connect/{provider}/replace": Sight("replace", "/margins/connect/stripe/replace"),
    "/connect/{provider}/disconnect": Sight("disconnect", "/margins/connect/stripe/disconnect"),
}
PAGES = {
    line.path: _KNOWN[line.path]
    for line in routes.PAGES
    if line.is_safe and line.path not in DOWNLOADS
}
"""One for each line of the dashboard's table that is looked at."""

VIEWED = tuple(
    PAGES[line.path] for line in routes.PAGES if line.path in PAGES and line.role == Role.VIEWER
)
"""Those that a viewer may see."""

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
        for sight in VIEWED
        if sight.name != "margins"
    ),
    *(
        Sight(f"{name}-nothing-yet", path, org=NEW_ORG)
        for name, path in (("provider", "/margins/connect/stripe"), ("csv", "/margins/connect/csv"))
        if "/connect/{provider}" in PAGES
    ),
    *(
        Sight(f"{sight.name}-not-allowed", sight.path, status=403, role="viewer")
        for sight in PAGES.values()
        if sight not in VIEWED
    ),
    Sight("matching-mapped", "/margins/matching?show=mapped"),
    Sight("matching-nothing-found", "/margins/matching?q=nobody"),
    Sight("signed-out", "/margins", status=401, role=None),
    Sight("free-plan", "/margins", status=403, org=FREE_ORG),
    Sight("no-such-customer", "/margins/customers/nobody-knows", status=404),
    Sight("no-month", "/margins?period=2026-13", status=400),
)

EVERYTHING = (*PAGES.values(), *STATES)
