"""Which deliveries of cost sources are worth a write, so that taking costs in stays cheap."""

from __future__ import annotations

from collections.abc import Iterable

from nullspend_margins.domain.delivery import Delivery

_MOST = 10_000
"""Orgs and sources that are remembered; beyond it, all are forgotten and written once more."""


class DeliveryLog:
    """Remembers what this process has written down of each org and source.

    At most one write a minute for each, and one more whenever the newest cost is newer by a
    minute: what is stored is a minute behind at the most.
    """

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], Delivery] = {}

    def unwritten(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those to write in the transaction of their costs, in the order of org and source."""
        found = []
        for each in deliveries:
            known = self._written.get((each.org_id, each.source))
            if known is None or each.says_more_than(known):
                found.append(each)
        return sorted(found, key=_key)

    def note(self, written: Iterable[Delivery]) -> None:
        """They are committed."""
        for each in written:
            if len(self._written) >= _MOST:
                self._written.clear()
            # Old costs may come among new ones: the newest of all is what counts.
            self._written[_key(each)] = each.after(self._written.get(_key(each)))


def _key(delivery: Delivery) -> tuple[str, str]:
    return delivery.org_id, delivery.source
