"""Answers: JSON from structs, CSV, and the headers every one of them has."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from nullspend_margins.web.wire.base import Wire, encode

JSON = "application/json"
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(
    body: bytes,
    *,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Bytes with our headers. An org's numbers are kept by no cache, unless ``headers`` differ."""
    return Response(body, status, headers={**_PRIVATE, **(headers or {})}, media_type=media_type)


def json_answer(payload: Wire, *, status: int = 200) -> Response:
    """A struct as JSON."""
    return answer(encode(payload), status=status)


def without_body(response: Response) -> Response:
    """The answer to HEAD: the headers of GET (its length too) and nothing else."""
    response.body = b""
    return response
