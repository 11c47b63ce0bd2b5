"""Requests that an authenticator is tried with, made from one good one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from nullspend_margins.protocols import Scope
from nullspend_margins.testing.samples import http_scope

_SECRET_HEADERS = ("authorization", "cookie", "key", "token", "secret", "session", "auth")
_GARBAGE = (b"", b" ", b"\xff\xfe\x80", b"\x00\x01", b"=;=;==;", b"x" * 65_536, b"a.b.c", b"Bearer")
_SHORTEST_SECRET = 8


def copied(scope: Scope) -> dict[str, Any]:
    """Deep where plugins reach: the scope itself, headers, state, session, extensions."""
    return {
        key: copy.copy(value) if isinstance(value, dict | list) else value
        for key, value in scope.items()
    }


def anonymous() -> dict[str, Scope]:
    """Requests without a credential, in words and as scopes."""
    foreign = {"theme": "dark", "_ga": "GA1.1.1", "csrftoken": "abc"}
    websocket = {**http_scope(), "type": "websocket", "subprotocols": ["chat"]}
    extras: dict[str, Any] = {
        "state": {},
        "extensions": {"tls": {}},
        "path_params": {},
        "app": object(),
    }
    return {
        "no headers at all": {**http_scope(), "headers": []},
        "an ordinary request": http_scope(),
        "somebody else's cookies": http_scope(cookies=foreign),
        "a WebSocket": websocket,
        "a scope with more in it": http_scope(**extras),
    }


def _header_pairs(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in scope.get("headers", ())]


def secrets(scope: Scope) -> list[str]:
    """What is secret in the headers: tokens behind their scheme, values of cookies."""
    found: list[str] = []
    for name, value in _header_pairs(scope):
        header, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if header == "cookie":
            found += [pair.partition("=")[2].strip() for pair in text.split(";")]
        elif any(word in header for word in _SECRET_HEADERS):
            found.append(text.partition(" ")[2] if header == "authorization" else text)
    return sorted({each for each in found if len(each) >= _SHORTEST_SECRET}, key=len, reverse=True)


def _with_header(scope: Scope, index: int, *values: bytes) -> dict[str, Any]:
    pairs = _header_pairs(scope)
    name = pairs[index][0]
    return {
        **copied(scope),
        "headers": [*pairs[:index], *((name, v) for v in values), *pairs[index + 1 :]],
    }


def garbled(scope: Scope) -> Iterator[tuple[str, Scope]]:
    """The good request, each of its headers in turn replaced, continued badly, and repeated."""
    for index, (name, value) in enumerate(_header_pairs(scope)):
        header = name.decode("latin-1")
        scheme = value.partition(b" ")[0] + b" " if b" " in value else b""
        for garbage in _GARBAGE:
            shown = f"{header} {garbage[:8]!r} ({len(garbage)} bytes)"
            yield f"{shown} alone", _with_header(scope, index, garbage)
            yield f"{shown} after its scheme", _with_header(scope, index, scheme + garbage)
            half = value[: len(value) // 2]
            yield f"{shown} in its middle", _with_header(scope, index, half + garbage)
            yield f"{shown} beside the good one", _with_header(scope, index, garbage, value)
        yield f"{header} twice", _with_header(scope, index, value, value)


def tampered(scope: Scope) -> Iterator[tuple[str, Scope]]:
    """The longest secret of the request cut, changed in its middle, and made of zeros."""
    for secret in (each.encode("latin-1") for each in secrets(scope)[:1]):
        middle = len(secret) // 2
        other = b"A" if secret[middle : middle + 1] != b"A" else b"B"
        variants = {
            "cut": secret[:middle],
            "changed in its middle": secret[:middle] + other + secret[middle + 1 :],
            "made of zeros": b"0" * len(secret),
        }
        for index, (_, value) in enumerate(_header_pairs(scope)):
            if secret in value:
                for words, variant in variants.items():
                    changed = _with_header(scope, index, value.replace(secret, variant))
                    yield f"the credential {words}", changed
