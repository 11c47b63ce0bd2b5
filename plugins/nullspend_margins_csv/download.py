"""A file from a URL, kept on disk while it is read."""

from __future__ import annotations

import tempfile
from functools import partial
from typing import BinaryIO

from nullspend_margins import (
    CredentialRefused,
    Outbound,
    OutboundAnswer,
    OutboundRefused,
    ProviderUnavailable,
    ServiceUnavailable,
)
from nullspend_margins_csv.failures import NotThere
from nullspend_margins_csv.settings import CsvSettings
from nullspend_margins_csv.threads import in_thread

_GONE = (401, 410)
"""The URL is of no use any more. 403 may be anything: object stores say so of a missing file."""


async def download(url: str, file: BinaryIO, outbound: Outbound, settings: CsvSettings) -> None:
    """Bring what is at ``url`` into ``file``, and stand at its beginning.

    Raises ``CredentialRefused``, ``NotThere`` and ``ProviderUnavailable``. Whole, or a failure.
    """

    async def receive(part: bytes) -> None:
        await in_thread(partial(_write, file, part))

    try:
        answer = await outbound.get(
            url,
            receive=receive,
            max_body=settings.max_bytes,
            headers={"Accept": "text/csv, text/plain;q=0.9, */*;q=0.5"},
            timeout_seconds=settings.timeout_seconds,
        )
    except OutboundRefused as problem:
        raise NotThere(problem.message) from None
    except ServiceUnavailable as problem:
        raise ProviderUnavailable(problem.message) from None
    _require_a_file(answer)
    await in_thread(partial(file.seek, 0))


def temporary_file() -> BinaryIO:
    """Without a name, and gone when it is closed. Raises ``ProviderUnavailable``."""
    try:
        return tempfile.TemporaryFile()
    except OSError as problem:
        raise _no_room(problem) from None


def _write(file: BinaryIO, part: bytes) -> None:
    try:
        file.write(part)
    except OSError as problem:
        raise _no_room(problem) from None


def _no_room(problem: OSError) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"The download can't be kept in the server's temporary folder: {problem.strerror}."
    )


def _require_a_file(answer: OutboundAnswer) -> None:
    host, status = answer.host, answer.status
    if status in _GONE:
        raise CredentialRefused(f"{host} does not accept this URL any more ({status}).")
    if status == 403:
        raise NotThere(f"{host} does not let the file be read (403). Has the URL expired?")
    if status == 404:
        raise NotThere(f"{host} has no file at this URL (404).")
    if status != 200:
        raise ProviderUnavailable(f"{host} answered with {status}; try again later.")
    if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise NotThere(f"{host} sends the file compressed; it must come as it is.")
    if answer.headers.get("content-type", "").strip().lower().startswith("text/html"):
        raise NotThere(
            f"{host} answers with a web page, perhaps one to sign in at. Give the URL of the file "
            "itself, which opens without a session."
        )
