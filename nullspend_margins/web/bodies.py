"""JSON bodies: declared as JSON, at most a mebibyte, and of the shape that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from nullspend_margins.errors import (
    InvalidJson,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)
from nullspend_margins.web.issues import rejection

MAX_BODY_BYTES = 1024 * 1024

Body = TypeVar("Body")


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The body of a JSON request.

    Raises ``UnsupportedMediaType``, ``PayloadTooLarge`` (before reading, where the length is
    declared) and Starlette's ``ClientDisconnect``.
    """
    _require_json(_headers(scope))
    return await read_bytes(scope, receive)


async def read_bytes(scope: Scope, receive: Receive) -> bytes:
    """The body of a request of any type; raises as ``read_body`` does, but for its type."""
    declared = _headers(scope).get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > MAX_BODY_BYTES:
        raise _too_large()
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def decode(body: bytes, wanted: type[Body]) -> Body:
    """Read ``body`` as ``wanted``. Raises ``InvalidJson`` or ``ValidationFailed``, all issues."""
    try:
        return msgspec.json.decode(body, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise rejection(_decode_anything(body), wanted) from None


def _headers(scope: Scope) -> Mapping[bytes, bytes]:
    return dict(reversed([*scope["headers"]]))  # of several with one name the first counts


def _require_json(headers: Mapping[bytes, bytes]) -> None:
    declared = headers.get(b"content-type", b"").decode("latin-1")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        sent = f", not {media_type[:100]}" if media_type else "; none was declared"
        raise UnsupportedMediaType(f"Send the body with Content-Type: application/json{sent}.")
    coding = headers.get(b"content-encoding", b"").strip().lower()
    if coding not in (b"", b"identity"):
        raise UnsupportedMediaType("Send the body without a Content-Encoding.")


def _decode_anything(body: bytes) -> Any:
    """Any JSON value; unlike msgspec, with lone surrogates, so that their place can be told."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValidationFailed.of(("", "must not be nested that deeply")) from None
    except UnicodeDecodeError:
        raise InvalidJson("The body is not JSON: it is not UTF-8.") from None
    except json.JSONDecodeError as problem:
        raise InvalidJson(f"The body is not JSON: {problem}.") from None
    except ValueError:
        raise ValidationFailed.of(("", "must not hold numbers that large")) from None


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is no number of JSON", name, 0)


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"The body must be at most {MAX_BODY_BYTES} bytes.")
