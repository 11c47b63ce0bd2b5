"""The state of a connection in words: what it is, what that means, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from nullspend_margins.domain.connect_form import ConnectForm
from nullspend_margins.services.connection_states import ConnectionState, SyncState

Tone = Literal["none", "info", "good", "warn", "bad"]

_LATE = timedelta(seconds=20)
"""Without anything new: somebody who watches begins to wonder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """``word`` is the badge's, ``text`` says what that means.

    ``advice`` says what to do, to people who have the role ``actor``; ``request`` says to others
    whom to ask.
    """

    name: str
    word: str
    tone: Tone
    text: str = ""
    advice: str = ""
    request: str = ""
    actor: Literal["viewer", "member", "admin"] = "viewer"

    @property
    def is_trouble(self) -> bool:
        """Somebody should look at it."""
        return self.tone in ("warn", "bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderShown:
    """A provider, and the org's connection to it, if there is one.

    ``name`` is the provider's, ``title`` for people; ``credential`` what it connects with, as in
    "restricted key".
    """

    name: str
    form: ConnectForm | None
    state: ConnectionState | None
    is_installed: bool

    @property
    def title(self) -> str:
        """For people."""
        return self.form.title if self.form else self.name

    @property
    def credential(self) -> str:
        """What it connects with."""
        return self.form.credential if self.form else "credential"

    @property
    def is_running(self) -> bool:
        """A sync is under way, whoever started it."""
        return self.state is not None and self.state.sync.is_running

    @property
    def situation(self) -> Situation:
        """Its state in words."""
        if self.state is None:
            return _ABSENT
        if not self.is_installed:
            return _ORPHANED
        if self.is_running:
            return Situation(name="running", word="Syncing", tone="info")
        return _of_key(self, self.state) or _of_last_sync(self, self.state)

    def permission(self, name: str) -> str:
        """A permission as the provider's list has it, else by its name."""
        known = self.form.permissions if self.form else ()
        return next((each.label for each in known if each.name == name), name)


_ABSENT = Situation(name="absent", word="Not connected", tone="none")
_ORPHANED = Situation(
    name="orphaned",
    word="Plugin missing",
    tone="warn",
    text="The plugin of this connection is not installed any more, so it is not synced.",
    advice="Whoever runs this application can install it again. What was stored stays until you "
    "disconnect.",
    request="Whoever runs this application can install it again. What was stored stays until an "
    "admin of your organisation disconnects it.",
    actor="admin",
)
_NEXT = "The next scheduled sync tries again by itself, and so does Sync now."
_NEXT_ALONE = "The next scheduled sync tries again by itself."


def ask_to_replace(credential: str) -> str:
    """To people who may not do it themselves."""
    return f"Ask an admin of your organisation to replace the {credential}."


def _kept(state: ConnectionState) -> str:
    if state.connection.last_sync_at is None:
        return "There was no good sync yet, so there are no figures of it."
    return "The figures stay those of the last good sync."


def _of_key(shown: ProviderShown, state: ConnectionState) -> Situation | None:
    """Where the credential is of no use any more."""
    status, noun = state.connection.status, shown.credential
    if status == "revoked":
        return Situation(
            name="revoked",
            word=f"{noun.capitalize()} refused",
            tone="bad",
            text=f"{shown.title} does not accept the stored {noun} any more, so there are no more "
            f"syncs. {_kept(state)}",
            advice=f"Make a new {noun} of the same account and put it in the place of the old one: "
            "nothing that is stored gets lost.",
            request=ask_to_replace(noun),
            actor="admin",
        )
    if status == "error":
        return Situation(
            name="unreadable",
            word=f"{noun.capitalize()} unreadable",
            tone="bad",
            text=f"The stored {noun} cannot be decrypted with the configured encryption keys. "
            f"{_kept(state)}",
            advice="Whoever runs this application can bring the old encryption key back, as one "
            f"more of [encryption] keys. Or put a new {noun} in its place.",
            request="Whoever runs this application can bring the old encryption key back, or an "
            f"admin of your organisation can replace the {noun}.",
            actor="admin",
        )
    return None


def _of_last_sync(shown: ProviderShown, state: ConnectionState) -> Situation:
    connection, sync = state.connection, state.sync
    if sync.phase == "stopped":
        return Situation(
            name="stopped",
            word="Sync broke off",
            tone="warn",
            text="The last sync ended without a word: the process that ran it is gone. Nothing "
            f"of it was kept. {_kept(state)}",
            advice=_NEXT,
            request=_NEXT_ALONE,
            actor="member",
        )
    if connection.last_error is not None:
        return _of_failure(shown, state)
    if connection.last_sync_at is None:
        return Situation(
            name="new",
            word="Never synced",
            tone="info",
            text="Connected, and nothing is read yet. A sync brings the revenue of this month and "
            "the three before it.",
        )
    return Situation(name="good", word="Connected", tone="good")


def _of_failure(shown: ProviderShown, state: ConnectionState) -> Situation:
    error = state.sync.error
    code = error.code if error is not None else ""
    if code == "permission_missing":
        named = error.permission if error is not None else None
        lacking = f"the permission {shown.permission(named)}" if named else "a permission"
        return Situation(
            name="permission",
            word="Permission missing",
            tone="bad",
            text=f"The stored {shown.credential} lacks {lacking}, without which there is no sync. "
            f"{_kept(state)}",
            advice=f"Add it in {shown.title}, or replace the {shown.credential} by one that has "
            "it. Then sync again.",
            request=f"Ask an admin of your organisation to add it in {shown.title}, or to replace "
            f"the {shown.credential} by one that has it.",
            actor="admin",
        )
    if code == "provider_unavailable":
        return _of_silence(shown, state)
    return Situation(
        name="failed",
        word="Sync failed",
        tone="warn",
        text=f"The last sync failed. {_kept(state)}",
        advice=_NEXT,
        request=_NEXT_ALONE,
        actor="member",
    )


def _of_silence(shown: ProviderShown, state: ConnectionState) -> Situation:
    """The provider gave nothing of use, which says nothing of the credential."""
    error = state.sync.error
    if error is not None and error.rate_limited:
        return Situation(
            name="rate-limited",
            word="Slowed down",
            tone="warn",
            text=f"{shown.title} limits how often it may be asked, and the limit was reached. "
            f"Nothing is wrong with the {shown.credential}. {_kept(state)}",
            advice=f"Give it some minutes. {_NEXT}",
            request=_NEXT_ALONE,
            actor="member",
        )
    return Situation(
        name="unavailable",
        word="No answer",
        tone="warn",
        text=f"{shown.title} gave no usable answer. That says nothing about the "
        f"{shown.credential}. {_kept(state)}",
        advice=_NEXT,
        request=_NEXT_ALONE,
        actor="member",
    )


def is_late(sync: SyncState, now: datetime) -> bool:
    """A running sync has not come forward for a while: it waits, most likely."""
    return sync.is_running and sync.updated_at is not None and now - sync.updated_at > _LATE
