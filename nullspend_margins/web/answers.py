"""Answers: JSON from structs, CSV, and the headers every one of them has."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from nullspend_margins.web.wire.base import Wire, encode

JSON = "application/json"
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""An org's numbers are kept by no cache, and are what they say they are."""
_PRIVATE_RAW = [(name.lower().encode(), value.encode()) for name, value in PRIVATE.items()]
_JSON_RAW = (b"content-type", JSON.encode())


def answer(
    body: bytes,
    *,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Bytes with our headers. An org's numbers are kept by no cache, unless ``headers`` differ."""
    return Response(body, status, headers={**PRIVATE, **(headers or {})}, media_type=media_type)


def json_answer(payload: Wire, *, status: int = 200) -> Response:
    """A struct as JSON."""
    return _Json(encode(payload), status)


class _Json(Response):
    """What ``answer`` makes of JSON. Its headers are never looked at again, so they are not made
    from a mapping: for a single cost event that takes as long as reading its body.
    """

    def __init__(self, body: bytes, status: int) -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [*_PRIVATE_RAW, (b"content-length", b"%d" % len(body)), _JSON_RAW]


def without_body(response: Response) -> Response:
    """The answer to HEAD: the headers of GET (its length too) and nothing else."""
    response.body = b""
    return response
