"""Checks that what reads are made of is what the facts add up to, and mends it where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nullspend_margins.storage import rebuild, revisions
from nullspend_margins.storage.comparison import ROLLUPS
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.rebuild import Comparison, Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgReport:
    """One org's cells: how many there are, how many were wrong, and the first of those."""

    org_id: str
    cells: int
    wrong: int
    shown: Sequence[Difference]


class RebuildService:
    """Works beside ingest, syncs and pruning, whichever process those run in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def orgs(self) -> list[str]:
        """Every org that has cells, or facts to make them of."""
        return await self._database.read(rebuild.orgs_with_cells, is_long=True)

    async def check(self, org_id: str, *, show: int) -> OrgReport:
        """Compare every cell of an org in one snapshot; ``show`` of the wrong ones are told.

        Nothing is locked and nothing changed.
        """

        def look(tx: Transaction) -> OrgReport:
            found = _compare(tx, org_id)
            wrong = sum(each.differing for each in found)
            return _report(org_id, found, wrong, _shown(tx, found, org_id, show))

        return await self._database.read(look, is_long=True)

    async def mend(self, org_id: str, *, show: int) -> OrgReport:
        """Put right what is wrong, in one transaction; ``wrong`` counts what was mended.

        Looked for without a lock, so an org that is all right is not touched. What looks wrong
        is looked at again under the lock, its part of the rollup alone: ingest waits that long.
        Raises ``ValidationFailed`` when a sum does not fit its cell; nothing is changed then.
        """
        found = await self._database.read(lambda tx: _compare(tx, org_id), is_long=True)
        wrong = [each for each in found if each.differing]
        if not wrong:
            return _report(org_id, found, 0, [])

        def work(tx: Transaction) -> OrgReport:
            rebuild.lock(tx, [each.rollup for each in wrong])
            shown = _shown(tx, wrong, org_id, show)
            mended = sum(rebuild.mend(tx, each, org_id) for each in wrong)
            if mended:
                revisions.advance(tx, org_id)
            return _report(org_id, found, mended, shown)

        return await self._database.write(work)


def _compare(tx: Transaction, org_id: str) -> list[Comparison]:
    return [rebuild.compare(tx, rollup, org_id) for rollup in ROLLUPS]


def _shown(
    tx: Transaction, found: Sequence[Comparison], org_id: str, limit: int
) -> list[Difference]:
    shown: list[Difference] = []
    for each in found:
        if each.differing and len(shown) < limit:
            shown += rebuild.differences(tx, each, org_id, limit - len(shown))
    return shown


def _report(
    org_id: str, found: Sequence[Comparison], wrong: int, shown: Sequence[Difference]
) -> OrgReport:
    cells = sum(each.cells for each in found)
    return OrgReport(org_id=org_id, cells=cells, wrong=wrong, shown=shown)
