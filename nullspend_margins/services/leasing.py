"""Holding a lease while something long is done, across processes and hosts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from nullspend_margins.errors import MarginsError
from nullspend_margins.protocols import Clock
from nullspend_margins.storage import leases
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.leases import Lease, LeaseLost

_SOURCE = "source:"

_log = logging.getLogger("nullspend_margins.sync")


def sync_lease(provider: str) -> str:
    """What a sync of an org's revenue holds; two of one connection would undo each other."""
    return f"sync:{provider}"


def source_lease(source: str) -> str:
    """What a pull or an import of a cost source's costs holds, for every org at once."""
    return f"{_SOURCE}{source}"


def leased_sources(names: Iterable[str]) -> list[str]:
    """The cost sources among what the leases of these names are of."""
    return [name.removeprefix(_SOURCE) for name in names if name.startswith(_SOURCE)]


class LeaseKeeper:
    """Takes leases and renews them until the work is done.

    A lease that is not renewed (its process died) frees itself after ``lease_seconds``. Whoever
    holds one must pass it to ``leases.verify`` in the transaction that commits the work: a holder
    that was too slow cannot overwrite its successor.
    """

    def __init__(self, database: Database, clock: Clock, lease_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._time_to_live = timedelta(seconds=lease_seconds)
        self._renew_every = lease_seconds / 3

    @asynccontextmanager
    async def hold(self, org_id: str, name: str) -> AsyncIterator[Lease | None]:
        """The lease, or ``None`` when somebody else holds it.

        When it is lost on the way, the body is cancelled and ``LeaseLost`` raised.
        """
        holder = f"{socket.gethostname()[:100]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        lease = await self._acquire(org_id, name, holder)
        if lease is None:
            yield None
            return
        owner = asyncio.current_task()
        lost = asyncio.Event()
        heartbeat = asyncio.create_task(self._renew(lease, owner, lost), name="margins-lease")
        try:
            yield lease
        except asyncio.CancelledError:
            if lost.is_set() and owner is not None:
                owner.uncancel()
                raise LeaseLost(f"The lease of {name} ran out before the work was done.") from None
            raise
        finally:
            heartbeat.cancel()
            try:
                await asyncio.wait([heartbeat])
            finally:
                await self._release(lease)

    async def _acquire(self, org_id: str, name: str, holder: str) -> Lease | None:
        taking = asyncio.ensure_future(
            self._database.write(
                lambda tx: leases.acquire(
                    tx, org_id, name, holder, self._clock.now(), self._time_to_live
                )
            )
        )
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # Taken all the same, perhaps; nobody else would give it back.
            with contextlib.suppress(MarginsError):
                lease = await taking
                if lease is not None:
                    await self._release(lease)
            raise

    async def _release(self, lease: Lease) -> None:
        with contextlib.suppress(MarginsError):
            await asyncio.shield(self._database.write(lambda tx: leases.release(tx, lease)))

    async def _renew(
        self, lease: Lease, owner: asyncio.Task[object] | None, lost: asyncio.Event
    ) -> None:
        while True:
            await asyncio.sleep(self._renew_every)
            try:
                kept = await self._database.write(
                    lambda tx: leases.renew(tx, lease, self._clock.now(), self._time_to_live)
                )
            except MarginsError as problem:
                # The fencing token decides in the end; a database that is away for a moment
                # is no reason to give up yet.
                _log.warning("lease %s not renewed: %s", lease.name, problem.message)
                continue
            if not kept:
                lost.set()
                if owner is not None:
                    owner.cancel()
                return
