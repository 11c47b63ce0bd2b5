"""Forgets raw cost events that are too old to come again; what they cost stays in the rollups."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime

from nullspend_margins.errors import MarginsError
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import orgs_with_events, prune_events
from nullspend_margins.storage.rollups import RollupOverflow

_AT_ONCE = 10_000

_log = logging.getLogger("nullspend_margins.sync")


async def prune_events_before(
    database: Database, before: datetime, deadline: float, *, keep: Sequence[str] = ()
) -> None:
    """Org by org, some in a transaction, until ``deadline`` (of ``time.monotonic()``).

    Events of the sources in ``keep`` stay. Never raises for a database that is away, or a cell
    that is full: the rest is tried next time.
    """
    try:
        for org_id in await database.read(orgs_with_events, is_long=True):
            await _prune_org(database, org_id, before, deadline, keep)
    except MarginsError as problem:
        _log.warning("old events not pruned: %s", problem.message)


async def _prune_org(
    database: Database, org_id: str, before: datetime, deadline: float, keep: Sequence[str]
) -> None:
    gone = _AT_ONCE
    try:
        while gone == _AT_ONCE and time.monotonic() < deadline:
            gone = await database.write(
                lambda tx: prune_events(tx, org_id, before, _AT_ONCE, keep=keep)
            )
    except RollupOverflow as problem:  # this org's alone
        _log.warning("old events of org %s not pruned: %s", org_id, problem.message)
