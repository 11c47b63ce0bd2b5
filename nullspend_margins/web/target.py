"""What a request asks for: its path below the mount, and its query, decoded strictly."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_to_bytes

from starlette.types import Scope

from nullspend_margins.errors import ValidationFailed

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def path_below_mount(scope: Scope) -> str:
    """The decoded path without the mount's ``root_path``.

    Some servers and hosts put ``root_path`` into ``path`` and others do not: it is taken off
    where it is there.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root:
        return path
    if not path.startswith(f"{root}/"):  # else a root path with a slash at its end is in whole
        root = root.rstrip("/")
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :]
    return path


def require_sound_path(scope: Scope, name: str) -> None:
    """Raise ``ValidationFailed`` for bad percent-encoding or invalid UTF-8 in the path.

    A server's decoded path does not show either, so the raw one is looked at; unless it is not
    this path's (a host has rewritten one of the two), when there is nothing to judge by.
    """
    raw = _raw_path(scope)
    if raw:
        _strict(raw, name)


def last_segment(scope: Scope) -> str | None:
    """What is behind the path's last slash, decoded; a slash that was encoded is none.

    ``None`` where there is no raw path to judge by.
    """
    raw = _raw_path(scope)
    return unquote(raw.rpartition(b"/")[2].decode("latin-1")) if raw else None


def sent_path(scope: Scope) -> str:
    """The path as it was sent, with what is percent-encoded in it; empty where not known."""
    return _raw_path(scope).decode("latin-1")


def _raw_path(scope: Scope) -> bytes:
    """The path as it was sent; empty where that is not known, or of another path."""
    raw: bytes = (scope.get("raw_path") or b"").partition(b"?")[0]
    return raw if unquote(raw.decode("latin-1")).endswith(path_below_mount(scope)) else b""


def query_value(scope: Scope, name: str) -> str | None:
    """The last value of a query parameter, or ``None`` when it is absent.

    Raises ``ValidationFailed`` when that value is not percent-encoded UTF-8.
    """
    query: bytes = scope.get("query_string") or b""
    for pair in reversed(query.split(b"&")):
        key, _, value = pair.replace(b"+", b" ").partition(b"=")
        if unquote_to_bytes(key) == name.encode():
            return _strict(value, name)
    return None


def _strict(encoded: bytes, name: str) -> str:
    if _BAD_ESCAPE.search(encoded) is None:
        try:
            return unquote_to_bytes(encoded).decode()
        except UnicodeDecodeError:
            pass
    raise ValidationFailed.of((name, "must be percent-encoded UTF-8"))
