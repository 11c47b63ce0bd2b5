"""What the pages sign: the tokens of forms, and the notice for the page after a change."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from itsdangerous import BadData

from nullspend_margins.config import SessionSettings
from nullspend_margins.errors import Forbidden
from nullspend_margins.protocols import Clock, Principal
from nullspend_margins.signing import SignedValues

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
    """Signs for one person at a time: nobody else can use what is signed for them."""

    def __init__(self, settings: SessionSettings, clock: Clock) -> None:
        self._forms = SignedValues(settings, _FORM_SALT, clock)
        self._notices = SignedValues(settings, _NOTICE_SALT, clock)
        self._kept = SignedValues(settings, _KEPT_SALT, clock)
        self._form_seconds = settings.max_age_seconds

    def form_token(self, principal: Principal) -> str:
        """A token for the forms of one page, which nobody else's page can know.

        Each is different, so that compressed pages tell nothing of it by their lengths.
        """
        return self._forms.sign([secrets.token_urlsafe(6), principal.org_id, principal.user_id])

    def check_form_token(self, principal: Principal, token: str) -> None:
        """Raises ``Forbidden`` unless it was made for this very person and is not too old."""
        try:
            _, *whose = self._forms.read_fresh(token, max_age_seconds=self._form_seconds)
        except (BadData, TypeError, ValueError):
            whose = []
        if whose != [principal.org_id, principal.user_id]:
            raise Forbidden("This form is too old, or another person's. Load the page again.")

    def sign_notice(self, principal: Principal, notice: Notice) -> str:
        """A cookie's value."""
        whose = [principal.org_id, principal.user_id]
        return self._notices.sign([*whose, msgspec.to_builtins(notice)])

    def read_notice(self, principal: Principal, cookie: str) -> Notice | None:
        """What ``sign_notice`` signed for this person within the last minute."""
        try:
            *whose, notice = self._notices.read_fresh(cookie, max_age_seconds=_NOTICE_SECONDS)
            if whose == [principal.org_id, principal.user_id]:
                return msgspec.convert(notice, Notice)
        except (BadData, TypeError, ValueError):
            pass
        return None

    def keep(self, principal: Principal, purpose: str, value: object) -> str:
        """JSON for a hidden field, to be read again from the form that comes back."""
        return self._kept.sign([purpose, principal.org_id, principal.user_id, value])

    def kept(self, principal: Principal, purpose: str, text: str) -> Any:
        """What ``keep`` was given for this person and purpose. Raises ``Forbidden``."""
        try:
            *whose, value = self._kept.read_fresh(text, max_age_seconds=self._form_seconds)
        except (BadData, TypeError, ValueError):
            whose, value = [], None
        if whose != [purpose, principal.org_id, principal.user_id]:
            raise Forbidden("This form is too old, or another person's. Load the page again.")
        return value
