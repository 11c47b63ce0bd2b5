"""What the pages sign: the tokens of forms, and the notice for the page after a change."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec
from itsdangerous import BadData, URLSafeTimedSerializer

from nullspend_margins.config import SessionSettings
from nullspend_margins.errors import Forbidden
from nullspend_margins.protocols import Principal

_FORM_SALT = "nullspend_margins.form"
_NOTICE_SALT = "nullspend_margins.notice"
_KEPT_SALT = "nullspend_margins.kept"
_NOTICE_SECONDS = 60


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence for the next page: ``kind`` is ``good`` or ``bad``.

    ``undo_path`` (below the dashboard's own) and ``undo_fields`` make a button that takes it back.
    """

    text: str
    kind: str = "good"
    undo_path: str | None = None
    undo_fields: dict[str, str] = {}


class Tokens:
    """Signs with ``[session] secret_keys``: the first signs, all verify."""

    def __init__(self, settings: SessionSettings) -> None:
        self._keys = [key.reveal() for key in reversed(settings.secret_keys)]
        self._form_seconds = settings.max_age_seconds

    def form_token(self, principal: Principal) -> str:
        """A token for the forms of one page, which nobody else's page can know.

        Each is different, so that compressed pages tell nothing of it by their lengths.
        """
        payload = [secrets.token_urlsafe(6), principal.org_id, principal.user_id]
        return str(self._serializer(_FORM_SALT).dumps(payload))

    def check_form_token(self, principal: Principal, token: str) -> None:
        """Raises ``Forbidden`` unless it was made for this very person and is not too old."""
        try:
            payload = self._serializer(_FORM_SALT).loads(token, max_age=self._form_seconds)
            _, org_id, user_id = payload
        except (BadData, TypeError, ValueError):
            org_id = user_id = None
        if (org_id, user_id) != (principal.org_id, principal.user_id):
            raise Forbidden("This form is too old, or another person's. Load the page again.")

    def sign_notice(self, principal: Principal, notice: Notice) -> str:
        """A cookie's value."""
        payload = [principal.org_id, principal.user_id, msgspec.to_builtins(notice)]
        return str(self._serializer(_NOTICE_SALT).dumps(payload))

    def read_notice(self, principal: Principal, cookie: str) -> Notice | None:
        """What ``sign_notice`` signed for this person within the last minute."""
        try:
            payload = self._serializer(_NOTICE_SALT).loads(cookie, max_age=_NOTICE_SECONDS)
            org_id, user_id, notice = payload
            if (org_id, user_id) == (principal.org_id, principal.user_id):
                return msgspec.convert(notice, Notice)
        except (BadData, TypeError, ValueError):
            pass
        return None

    def keep(self, principal: Principal, purpose: str, value: object) -> str:
        """JSON for a hidden field, to be read again from the form that comes back."""
        payload = [purpose, principal.org_id, principal.user_id, value]
        return str(self._serializer(_KEPT_SALT).dumps(payload))

    def kept(self, principal: Principal, purpose: str, text: str) -> Any:
        """What ``keep`` was given for this person and purpose. Raises ``Forbidden``."""
        try:
            payload = self._serializer(_KEPT_SALT).loads(text, max_age=self._form_seconds)
            *owner, value = payload
        except (BadData, TypeError, ValueError):
            owner, value = [], None
        if owner != [purpose, principal.org_id, principal.user_id]:
            raise Forbidden("This form is too old, or another person's. Load the page again.")
        return value

    def _serializer(self, salt: str) -> Any:
        return URLSafeTimedSerializer(
            self._keys,
            salt=salt,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
