"""Provider credentials at rest: AES-256-GCM, bound to their org and provider."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = "v1"
_NONCE_BYTES = 12


class Unreadable(Exception):
    """A stored credential that no configured key opens."""


class Vault:
    """Seals with the first key, opens with any.

    A sealed text is ``v1.<key id>.<base64 of nonce and ciphertext>``; the key id says which key
    it needs without telling anything about that key. The associated data are org and provider,
    so that a row copied to another org does not open there.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._first = _key_id(keys[0])

    def seal(self, org_id: str, provider: str, secret: str) -> str:
        """Encrypt ``secret`` for this org and provider."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(
            nonce, secret.encode(), _associated(org_id, provider)
        )
        return f"{_FORMAT}.{self._first}.{base64.b64encode(nonce + sealed).decode()}"

    def is_current(self, sealed: str) -> bool:
        """Whether ``sealed`` was made with the first key."""
        return sealed.split(".", 2)[1:2] == [self._first]

    def open(self, org_id: str, provider: str, sealed: str) -> str:
        """Decrypt. Raises ``Unreadable`` when the key is gone or the text was changed."""
        try:
            version, key_id, payload = sealed.split(".", 2)
            raw = base64.b64decode(payload, validate=True)
            cipher = self._ciphers[key_id]
            if version != _FORMAT:
                raise Unreadable(f"unknown format {version!r}")
            nonce, body = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return cipher.decrypt(nonce, body, _associated(org_id, provider)).decode()
        except (InvalidTag, KeyError, ValueError) as problem:
            raise Unreadable("no configured encryption key opens it") from problem


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"nullspend-margins key id" + key).hexdigest()[:8]


def _associated(org_id: str, provider: str) -> bytes:
    return f"{org_id}\x00{provider}".encode()
