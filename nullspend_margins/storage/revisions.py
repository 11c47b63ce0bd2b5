"""One number an org that changes with everything its margins are made of.

Whoever has computed something from an org's data keeps the revision it was computed at, read in
the same snapshot; while the revision stays, so does the result.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, Select, bindparam, select

from nullspend_margins.storage.bulk import BulkInsert, replacing
from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.tables import revisions

SELECT_REVISION: Select[tuple[int]] = select(revisions.c.revision).where(
    revisions.c.org_id == bindparam("org_id")
)

# Made once: every read of a table asks the one, every write the other.
_current = Question(SELECT_REVISION)
_put = BulkInsert(revisions, replacing(revisions))


def current(tx: Connection, org_id: str) -> int | None:
    """The org's revision; ``None`` when nothing was ever written."""
    found = _current.rows(tx, org_id=org_id)
    return found[0][0] if found else None


def advance(tx: Connection, org_id: str) -> None:
    """Give the org a new revision: the last thing that a transaction does.

    Last, because the row stays locked until the commit and every other writer of the org waits
    for it. Random, not counted: a database restored from a backup must not come to a number
    again that stood for other data.
    """
    _put.write(tx, [(org_id, secrets.randbits(62))])
