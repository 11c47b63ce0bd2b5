"""Where a file comes from: what a connect request says, how it is kept, and what is shown of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, get_args
from urllib.parse import urlsplit

from nullspend_margins import CredentialRefused, ValidationFailed

Where = Literal["content", "url", "file"]
FIELDS: tuple[Where, ...] = get_args(Where)

_ONE_OF = "send one of content (the text itself), url and file"
_URL = re.compile(r"https://[!-\[\]-~]+")
_MOST_URL = 2048
_MOST_NAME = 255
_MOST_LABEL = 100


@dataclass(frozen=True, slots=True)
class Source:
    """``text`` is the file's content, its URL, or its name. It is never shown."""

    where: Where
    text: str = field(repr=False)

    @property
    def label(self) -> str:
        """For people: a URL's host, a file's name."""
        if self.where == "content":
            return "upload"
        label = urlsplit(self.text).hostname or "" if self.where == "url" else self.text
        return label if len(label) <= _MOST_LABEL else f"{label[:_MOST_LABEL]}..."

    @property
    def secret(self) -> str:
        """How it is kept: packed, since it may be a whole file."""
        packed = zlib.compress(json.dumps({self.where: self.text}).encode())
        return base64.b64encode(packed).decode()

    @classmethod
    def of_secret(cls, secret: str) -> Source:
        """The source that was kept. Raises ``CredentialRefused`` for what is none."""
        try:
            kept = json.loads(zlib.decompress(base64.b64decode(secret, validate=True)))
            [(where, text)] = kept.items()
            return cls(where, text)
        except (binascii.Error, zlib.error, ValueError, AttributeError):
            # Raised without its cause, which may quote what was kept.
            raise CredentialRefused("What was connected can't be read; connect it again.") from None


def read_source(
    body: Mapping[str, object], *, has_folder: bool, url_problem: Callable[[str], str | None]
) -> Source:
    """The source in the body of a connect request, checked by its form.

    Raises ``ValidationFailed`` that never repeats what was sent.
    """
    sent = [field for field in FIELDS if field in body]
    if not sent:
        raise ValidationFailed.of(("content", f"is required: {_ONE_OF}"))
    if len(sent) > 1:
        raise ValidationFailed.of((sent[1], f"can't be sent with {sent[0]}: {_ONE_OF}"))
    [where] = sent
    text = body[where]
    if not isinstance(text, str):
        raise ValidationFailed.of((where, "must be a string"))
    if where != "content":
        text = text.strip()
    problem = _problem(Source(where, text), has_folder=has_folder, url_problem=url_problem)
    if problem is not None:
        raise ValidationFailed.of((where, problem))
    return Source(where, text)


def _problem(
    source: Source, *, has_folder: bool, url_problem: Callable[[str], str | None]
) -> str | None:
    if not source.text.strip():
        return "must not be empty"
    if source.where == "content":
        return _content_problem(source.text)
    if source.where == "url":
        return _url_form_problem(source.text) or url_problem(source.text)
    return file_problem(source.text) if has_folder else NO_FOLDER


NO_FOLDER = (
    "can't be used: no folder is set for files. The operator names one in [plugins.csv] folder; "
    "or send the text itself as content"
)


def _content_problem(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must not contain lone surrogates"
    return None


def _url_form_problem(url: str) -> str | None:
    if not url.casefold().startswith("https://"):
        return "must start with https://"
    if len(url) > _MOST_URL:
        return f"must be at most {_MOST_URL} characters long"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname)
    except ValueError:
        return "cannot be read as a URL"
    if not named or not _URL.fullmatch(url):
        return "must be https://, a host and a path, percent-encoded"
    if "@" in parts.netloc:
        return "must not contain a user or password; a token may be in its query"
    return None


def file_problem(name: str) -> str | None:
    """What is wrong with a file's name, by its form."""
    if len(name) > _MOST_NAME or not name.isprintable():
        return f"must be a name of at most {_MOST_NAME} characters, without control characters"
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        return "must be a name within the folder, as revenue.csv or acme/revenue.csv"
    return None if path.parts else "must be the name of a file"
