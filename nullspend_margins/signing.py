"""Signing with ``[session] secret_keys``: the first key signs, all verify."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from nullspend_margins.config import SessionSettings
from nullspend_margins.protocols import Clock


class SignedValues:
    """Values of one purpose, told apart from others by its ``salt``, with their time."""

    def __init__(self, settings: SessionSettings, salt: str, clock: Clock) -> None:
        class ClockedSigner(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock.now().timestamp())

        self._clock = clock
        self._serializer = URLSafeTimedSerializer(
            # itsdangerous wants the signing key last.
            [key.reveal() for key in reversed(settings.secret_keys)],
            salt=salt,
            signer=ClockedSigner,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def sign(self, payload: object) -> str:
        """``payload``, which JSON must be able to hold, as a text for a cookie or a form."""
        return str(self._serializer.dumps(payload))

    def read(self, value: str) -> tuple[Any, datetime]:
        """What ``sign`` signed, and when, however long ago. Raises ``BadData``."""
        payload, signed_at = self._serializer.loads(value, return_timestamp=True)
        return payload, signed_at

    def read_fresh(self, value: str, *, max_age_seconds: int) -> Any:
        """What ``sign`` signed. Raises ``BadData``, and its ``SignatureExpired`` when too old."""
        payload, signed_at = self.read(value)
        # One signed on a host whose clock is ahead is no forgery: only the age counts.
        if self._clock.now() - signed_at > timedelta(seconds=max_age_seconds):
            raise SignatureExpired("too old", payload=payload, date_signed=signed_at)
        return payload
