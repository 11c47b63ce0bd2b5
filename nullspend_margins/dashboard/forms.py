"""Fields and files that a form sent, within limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import UnsupportedMediaType, ValidationFailed
from nullspend_margins.web.bodies import MAX_BODY_BYTES, read_bytes
from nullspend_margins.web.call import Incoming

MAX_FIELDS = 5_000
"""Of one form: many mappings at once have a few fields each."""


@dataclass(frozen=True, slots=True)
class Form:
    """Fields in their order, each name as often as it was sent, and files by field."""

    fields: Sequence[tuple[str, str]]
    files: Mapping[str, bytes]

    def get(self, name: str) -> str:
        """The last value of a field; empty without one."""
        return next((value for key, value in reversed(self.fields) if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.fields if key == name]

    def text(self, name: str) -> str:
        """A field that may be stored. Raises ``ValidationFailed`` naming it."""
        value = self.get(name).strip()
        problem = text_problem(value)
        if problem is not None:
            raise ValidationFailed.of((name, problem))
        return value


async def read_form(request: Incoming) -> Form:
    """The form in a request's body.

    Raises ``UnsupportedMediaType``, ``PayloadTooLarge`` and ``ValidationFailed``.
    """
    headers = Headers(scope=request.scope)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise UnsupportedMediaType("Send the fields of a form.")
    body = await read_bytes(request.scope, request.receive)
    try:
        if media_type == "multipart/form-data":
            found = await _multipart(headers, body)
        else:
            found = await FormParser(headers, _once(body), max_fields=MAX_FIELDS).parse()
    except (MultiPartException, FormParserError) as problem:
        raise ValidationFailed.of(("", f"is no form that can be read: {problem}")) from problem
    fields: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            files[name] = await value.read()
        else:
            fields.append((name, value))
    await found.close()
    return Form(fields, files)


async def _multipart(headers: Headers, body: bytes) -> FormData:
    parser = MultiPartParser(
        headers,
        _once(body),
        max_files=1,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_BODY_BYTES,
    )
    return await parser.parse()


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
    yield b""
