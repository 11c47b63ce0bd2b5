"""Leases: who may do a piece of work, across processes and hosts, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, select, update

from nullspend_margins.errors import Conflict
from nullspend_margins.storage.dialects import insert_into
from nullspend_margins.storage.tables import leases

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class LeaseLost(Conflict):
    """The lease ran out and somebody else has it now. Keep nothing of the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to do one piece of work for an org until ``expires_at``.

    ``fence`` grows with every acquisition, for ever: a holder that slept through its lease is
    told from the one that came after it.
    """

    org_id: str
    name: str
    holder: str
    fence: int
    expires_at: datetime


def acquire(
    tx: Connection, org_id: str, name: str, holder: str, now: datetime, time_to_live: timedelta
) -> Lease | None:
    """Take the lease for ``time_to_live``; ``None`` when somebody holds it."""
    expires_at = now + time_to_live
    statement = (
        insert_into(tx, leases)
        .values(org_id=org_id, name=name, holder=holder, fence=1, expires_at=expires_at)
        .on_conflict_do_update(
            index_elements=["org_id", "name"],
            set_={"holder": holder, "fence": leases.c.fence + 1, "expires_at": expires_at},
            where=leases.c.expires_at <= now,
        )
        .returning(leases.c.fence)
    )
    fence: int | None = tx.execute(statement).scalar_one_or_none()
    if fence is None:
        return None
    return Lease(org_id=org_id, name=name, holder=holder, fence=fence, expires_at=expires_at)


def renew(tx: Connection, lease: Lease, now: datetime, time_to_live: timedelta) -> bool:
    """Hold it until ``now + time_to_live``. ``False``: somebody else has it, or it was given back.

    A lease that has run out may be renewed while nobody took it: the fence tells. Otherwise a
    transaction that kept the database busy for longer than a lease would end other people's work.
    """
    statement = update(leases).where(_is(lease)).values(expires_at=now + time_to_live)
    return tx.execute(statement).rowcount > 0


def held(tx: Connection, org_id: str, now: datetime) -> dict[str, int]:
    """The leases of an org that somebody holds ``now``: their fences by name."""
    statement = select(leases.c.name, leases.c.fence).where(
        leases.c.org_id == org_id, leases.c.expires_at > now
    )
    return {row[0]: row[1] for row in tx.execute(statement)}


def verify(tx: Connection, lease: Lease) -> None:
    """Make sure that nobody else has the lease, nor takes it before this transaction ends.

    Raises ``LeaseLost``.
    """
    statement = select(leases.c.fence).where(_is(lease))
    if tx.execute(statement.with_for_update()).one_or_none() is None:
        raise LeaseLost(
            f"Another process took over {lease.name} before this one was done; nothing was changed."
        )


def release(tx: Connection, lease: Lease) -> None:
    """Give it back. The row stays: it remembers the fence."""
    tx.execute(update(leases).where(_is(lease)).values(expires_at=_LONG_AGO))


def _is(lease: Lease) -> ColumnElement[bool]:
    """Still this acquisition, and not given back."""
    return and_(
        leases.c.expires_at > _LONG_AGO,
        leases.c.org_id == lease.org_id,
        leases.c.name == lease.name,
        leases.c.holder == lease.holder,
        leases.c.fence == lease.fence,
    )
