"""The address of the margin table, with all that a reader has chosen."""

from __future__ import annotations

from nullspend_margins.dashboard.links import Links
from nullspend_margins.dashboard.listing import Asked, Sort, descends_first
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import Basis


class MarginsAddress:
    """Writes links that change one choice and keep the others; what is usual is left out.

    ``basis`` is ``None`` where it is the configured one.
    """

    def __init__(self, links: Links, period: Period, basis: Basis | None, asked: Asked) -> None:
        self._links = links
        self._asked = asked
        usual = descends_first(asked.sort)
        order = "desc" if asked.is_descending else "asc"
        self.fields: dict[str, str | None] = {
            "period": str(period),
            "basis": basis,
            "q": asked.text or None,
            "tier": asked.tier.wire_name if asked.tier is not None else None,
            "sort": asked.sort if asked.sort != "health" or asked.is_descending else None,
            "order": order if asked.is_descending != usual else None,
        }
        """What is chosen, but for the page: another choice starts at the first."""

    def link(self, **changes: str | None) -> str:
        """The table with other choices, at its first page."""
        chosen: dict[str, object] = {**self.fields, **changes}
        return self._links.page("", **chosen)

    def at_page(self, page: int) -> str:
        """Another page of the same."""
        return self.link(page=str(page) if page > 1 else None)

    def sorted_by(self, sort: Sort) -> str:
        """By that column; the other way round if it is by that already."""
        is_descending = descends_first(sort)
        if sort == self._asked.sort:
            is_descending = not self._asked.is_descending
        order = "desc" if is_descending else "asc"
        return self.link(
            sort=sort if sort != "health" or is_descending else None,
            order=order if is_descending != descends_first(sort) else None,
        )

    def without(self, *names: str) -> dict[str, str]:
        """The fields that a form has to carry which sets ``names`` itself."""
        return {
            name: value
            for name, value in self.fields.items()
            if value is not None and name not in names
        }
