"""Keys that cost events are sent with: shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
import uuid

from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import NotFound, ValidationFailed
from nullspend_margins.protocols import Clock
from nullspend_margins.storage import keys
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.keys import StoredKey

KEY_PREFIX = "ns_live_sk_"
_SHOWN = len(KEY_PREFIX) + 8
_CACHED_KEYS = 4096
_CACHE_SECONDS = 10.0


class KeyService:
    """Creates, lists, revokes and recognises cost-event keys.

    A recognised key is remembered for ten seconds, which is also how long a revoked one may
    still work: looking it up for every event would double the work of ingest.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._recognised: dict[str, tuple[str, float]] = {}

    async def create(self, org_id: str) -> tuple[str, StoredKey]:
        """A new key in clear (this once) and what is stored of it.

        Raises ``ValidationFailed`` for an org that cannot be.
        """
        if problem := text_problem(org_id):
            raise ValidationFailed.of(("org", problem))
        plain = KEY_PREFIX + secrets.token_hex(16)
        key_id, now = str(uuid.uuid4()), self._clock.now()
        await self._database.write(
            lambda tx: keys.insert(tx, org_id, key_id, plain[:_SHOWN], _hash(plain), now)
        )
        stored = StoredKey(
            id=key_id, org_id=org_id, prefix=plain[:_SHOWN], created_at=now, revoked_at=None
        )
        return plain, stored

    async def org_of(self, plain: str) -> str | None:
        """The org a key belongs to; ``None`` for an unknown or revoked one.

        A random 128-bit key needs no slow hash: there is nothing to guess.
        """
        if not plain.startswith(KEY_PREFIX) or len(plain) > 100:
            return None
        digest, now = _hash(plain), self._clock.now().timestamp()
        known = self._recognised.get(digest)
        # No later than that, either: a clock that was set back would remember it for longer.
        if known and now < known[1] <= now + _CACHE_SECONDS:
            return known[0]
        org_id = await self._database.read(lambda tx: keys.org_of(tx, digest))
        self._recognised.pop(digest, None)
        if org_id is not None:
            if len(self._recognised) >= _CACHED_KEYS:
                self._recognised.clear()
            self._recognised[digest] = (org_id, now + _CACHE_SECONDS)
        return org_id

    async def list(self, org_id: str) -> list[StoredKey]:
        """All keys of the org, revoked ones included."""
        return await self._database.read(lambda tx: keys.list_keys(tx, org_id))

    async def revoke(self, org_id: str, id_or_prefix: str) -> None:
        """Revoke by id or by the shown prefix. Raises ``NotFound``."""
        now = self._clock.now()
        if not await self._database.write(lambda tx: keys.revoke(tx, org_id, id_or_prefix, now)):
            shown = id_or_prefix
            if len(shown) > _SHOWN and shown.startswith(KEY_PREFIX):  # a whole key: it is a secret
                shown = f"{shown[:_SHOWN]}..."
            raise NotFound(f"This org has no active key {shown!r}; `keys list` shows them.")
        self._recognised.clear()


def _hash(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
