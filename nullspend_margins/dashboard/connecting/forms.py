"""The form of connecting: what it asks, what came in, and what was refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nullspend_margins.dashboard.forms import Form
from nullspend_margins.domain.connect_form import ConnectField, ConnectForm, ConnectWay
from nullspend_margins.errors import (
    Conflict,
    CredentialRefused,
    MarginsError,
    PayloadTooLarge,
    PermissionMissing,
    ProviderUnavailable,
    ServiceUnavailable,
    ValidationFailed,
)
from nullspend_margins.web.failures import STATUS_OF_CODE

PREFIX = "field."
"""Before the names of a provider's fields, so that none is taken for one of ours."""

TOLD = (
    Conflict,
    CredentialRefused,
    PayloadTooLarge,
    ProviderUnavailable,
    ServiceUnavailable,
    ValidationFailed,
)
"""Errors that are told beside the form."""

_ANYTHING = "body"
_PREDICATES = re.compile(
    r"(can|can't|cannot|does|doesn't|ends|has|is|isn't|may|must|needs|was|were)\b"
)


def general_form(provider: str) -> ConnectForm:
    """For a provider that does not tell what it asks: its JSON body, written by hand."""
    body = ConnectField(
        name=_ANYTHING,
        label="Fields",
        kind="paragraph",
        secret=True,
        placeholder="token = ...",
        help="One a line, as name = value; or a JSON object.",
    )
    return ConnectForm(
        title=provider,
        intro="What it needs to connect stands in this provider's documentation.",
        ways=[ConnectWay(name="fields", label="Fields", fields=[body])],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing came of a form. ``messages`` by field, ``message`` for all of it.

    ``kind``: ``refused`` (what was sent is wrong), ``unavailable`` (try again) or ``conflict``.
    ``typed`` is what may be shown again; ``permission`` is the one that is missing.
    """

    way: str
    kind: str
    status: int
    message: str = ""
    messages: Mapping[str, list[str]] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    permission: str | None = None


def asked_way(form: ConnectForm, name: str | None) -> ConnectWay:
    """The way that was taken; the first one, where it is none of these."""
    return next((way for way in form.ways if way.name == name), form.ways[0])


def body_of(way: ConnectWay, sent: Form) -> dict[str, object]:
    """A connect request's body. Raises ``ValidationFailed``; never repeats what was sent."""
    found: dict[str, object] = {}
    missing = []
    for each in way.fields:
        value = _file_of(each, sent) if each.kind == "file" else sent.get(PREFIX + each.name)
        if value.strip():
            found[each.name] = value
        elif each.required:
            missing.append((each.name, _MISSING.get(each.kind, "Fill this in.")))
    if missing:
        raise ValidationFailed.of(*missing)
    return found


_MISSING = {"file": "Choose a file that is not empty.", "choice": "Choose one."}


def general_body(sent: Form) -> dict[str, object]:
    """The same for ``general_form``."""
    text = sent.get(PREFIX + _ANYTHING).strip()
    if not text:
        raise ValidationFailed.of((_ANYTHING, "Fill this in."))
    found = _json_object(text) if text.startswith("{") else _pairs(text)
    if found is None:
        raise ValidationFailed.of(
            (_ANYTHING, "Write one field a line, as name = value, or one JSON object.")
        )
    return found


def typed_in(way: ConnectWay, sent: Form) -> dict[str, str]:
    """What may be shown again: never a secret, nor a file."""
    return {
        each.name: sent.get(PREFIX + each.name)
        for each in way.fields
        if not each.secret and each.kind != "file"
    }


def refusal(way: ConnectWay, error: MarginsError, typed: Mapping[str, str]) -> Refusal:
    """What is said beside the form."""
    status = STATUS_OF_CODE.get(error.code, 400)
    if isinstance(error, ValidationFailed):
        messages, rest = _by_field(way, error)
        return Refusal(
            way=way.name,
            kind="refused",
            status=status,
            message=rest,
            messages=messages,
            typed=typed,
        )
    if isinstance(error, PayloadTooLarge):
        message = "That is more than a form may send, which is 1 MiB. " + _LARGER
        return Refusal(way=way.name, kind="refused", status=status, message=message, typed=typed)
    kind = "refused"
    if isinstance(error, ProviderUnavailable | ServiceUnavailable):
        kind = "unavailable"
    elif isinstance(error, Conflict) and not isinstance(error, PermissionMissing):
        kind = "conflict"
    named = (error.details or {}).get("permission")
    return Refusal(
        way=way.name,
        kind=kind,
        status=status,
        message=error.message,
        typed=typed,
        permission=named if isinstance(named, str) else None,
    )


_LARGER = "Give a larger file by a URL, if this provider takes one."


def sentence(message: str) -> str:
    """``must not be empty`` as a sentence: ``It must not be empty``."""
    if _PREDICATES.match(message):
        return f"It {message}"
    return message[:1].upper() + message[1:]


def _by_field(way: ConnectWay, error: ValidationFailed) -> tuple[dict[str, list[str]], str]:
    """Messages of this way's fields, and in one text those of others."""
    known = {each.name for each in way.fields}
    messages: dict[str, list[str]] = {}
    others = []
    for issue in error.issues:
        path, message = issue["path"], issue["message"]
        if path in known:
            messages.setdefault(path, []).append(sentence(message))
        else:
            others.append(f"{path}: {message}" if path else sentence(message))
    if not messages and not others:
        others.append(error.message)
    return messages, " ".join(others)


def _file_of(asked: ConnectField, sent: Form) -> str:
    try:
        return sent.files.get(PREFIX + asked.name, b"").decode()
    except UnicodeDecodeError:
        # Raised without its cause, which quotes the file.
        raise ValidationFailed.of(
            (asked.name, "It is not text in UTF-8. Save it as such (Excel: CSV UTF-8).")
        ) from None


def _json_object(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _pairs(text: str) -> dict[str, object] | None:
    found: dict[str, object] = {}
    for line in filter(str.strip, text.splitlines()):
        name, is_pair, value = line.partition("=")
        if not is_pair or not name.strip():
            return None
        found[name.strip()] = value.strip()
    return found
