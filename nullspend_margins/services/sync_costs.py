"""What the cost sources outside of the database say, asked before a sync's transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from nullspend_margins.domain.cost import MonthCost, TagCost
from nullspend_margins.domain.period import Months
from nullspend_margins.errors import MarginsError
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.unmatched import recent_since

_log = logging.getLogger("nullspend_margins.sync")


class RemoteCosts(NamedTuple):
    """Of the months that alerts are judged by, and by tag value."""

    months: Sequence[MonthCost]
    tags: Sequence[TagCost]


async def read_remote(
    costs: CostReader, months: Months, org_id: str, provider: str, now: datetime
) -> RemoteCosts | None:
    """``None``: one of them fails, which is logged.

    Other systems take their time, and revenue does not wait for them; matches and alerts, which
    are made by all costs or not at all, wait for the next sync.
    """
    without = f"sync of org {org_id} ({provider}) makes no matches and alerts"
    try:
        return RemoteCosts(
            await costs.remote_months(org_id, months.first, months.last),
            await costs.remote_tags(org_id, recent_since(now)),
        )
    except MarginsError as problem:
        _log.warning("%s: %s", without, problem.message)
    except Exception:
        _log.exception("%s", without)
    return None
