"""What a credential may not read, as its provider tells when somebody connects."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nullspend_margins.domain.revenue import RevenueGap
from nullspend_margins.errors import MarginsError
from nullspend_margins.protocols import RevenueProvider

_log = logging.getLogger("nullspend_margins.connections")


async def gaps_of(source: RevenueProvider, secret: str) -> list[dict[str, Any]] | None:
    """The gaps of a credential, each permission once, as they are stored; ``None``: unknown.

    A provider without ``find_gaps`` has none. One that fails here is logged: a credential that
    was checked is of use without this.
    """
    find_gaps = getattr(source, "find_gaps", None)
    if find_gaps is None:
        return []
    try:
        gaps = _by_permission(await find_gaps(secret))
    except MarginsError as problem:
        _log.warning("%s: permissions not known: %s", source.name, problem.message)
    except Exception as problem:
        # Its message may quote the secret.
        _log.error("%s: find_gaps failed: %s", source.name, type(problem).__name__)
    else:
        return [asdict(gap) for gap in gaps.values()]
    return None


def _by_permission(found: Sequence[object]) -> dict[str, RevenueGap]:
    gaps = {}
    for gap in found:
        if not isinstance(gap, RevenueGap):
            raise TypeError(f"found a {type(gap).__name__}, not a RevenueGap")
        gaps[gap.permission] = gap
    return gaps
