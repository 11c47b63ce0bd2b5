"""One metered request: what its response says passes through here, unchanged and at once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from starlette.types import Message, Send

from nullspend_margins.metering.attribution import Attribution
from nullspend_margins.metering.book import Book
from nullspend_margins.metering.excerpt import Excerpt
from nullspend_margins.metering.stream import Stream
from nullspend_margins.metering.usage import Found, read, read_body

_log = logging.getLogger("nullspend_margins.metering")

_CONTENT_TYPE, _ENCODING, _LENGTH = b"content-type", b"content-encoding", b"content-length"
_CACHE_KEY = b"x-litellm-cache-key"
WATCHED = frozenset((_CONTENT_TYPE, _ENCODING, _LENGTH, _CACHE_KEY))
_PLAIN = (b"", b"identity")
_EVENTS = b"text/event-stream"
_UNKNOWN_LENGTH = -1


class Exchange:
    """Counts one call, before the client can have seen the end of its response."""

    __slots__ = (
        "_attribution",
        "_body",
        "_book",
        "_cost",
        "_is_cache_hit",
        "_is_open",
        "_is_readable",
        "_missing",
        "_send",
        "_stream",
    )

    def __init__(self, book: Book, attribution: Attribution, send: Send) -> None:
        self._book = book
        self._attribution = attribution
        self._send = send
        self._is_open = False
        self._is_readable = True
        self._is_cache_hit = False
        self._cost = ""
        self._missing = _UNKNOWN_LENGTH
        self._body: Excerpt | None = None
        self._stream: Stream | None = None

    def send(self, message: Message) -> Awaitable[None]:
        """Take note of a message, then hand it on. Not a coroutine itself: that costs time."""
        try:
            if self._is_open:
                if message["type"] == "http.response.body":
                    chunk, has_more = message.get("body", b""), message.get("more_body", False)
                    stream = self._stream
                    # Asked here: a call more for each chunk of a stream is felt.
                    if stream is None or not has_more or not stream.is_dull(chunk):
                        self._see(chunk, has_more)
            elif message["type"] == "http.response.start":
                self._begin(message)
        except Exception:  # metering must not break what it meters
            self._is_open = False
            _log.exception("a call could not be metered")
        return self._send(message)

    def close(self) -> None:
        """The app is done. A response without its end counts with what it said until then."""
        if not self._is_open:
            return
        try:
            self._finish(self._found())
        except Exception:
            _log.exception("a call could not be metered")

    def _begin(self, message: Message) -> None:
        if not 200 <= message["status"] < 300:
            return  # a failure costs nothing
        self._is_open = True
        watched = self._book.watched
        found: dict[bytes, bytes] = {}
        for name, value in message.get("headers", ()):
            lower = name.lower()
            if lower in watched:
                found[lower] = value
        if _ENCODING in found and found[_ENCODING].strip().lower() not in _PLAIN:
            self._is_readable = False
        elif _CONTENT_TYPE in found and found[_CONTENT_TYPE].lower().startswith(_EVENTS):
            self._stream = Stream()
        if _LENGTH in found and found[_LENGTH].isdigit():
            self._missing = int(found[_LENGTH])
        self._is_cache_hit = _CACHE_KEY in found
        for name in self._book.cost_headers:
            if name in found:
                self._cost = found[name].decode("latin-1")
                break

    def _see(self, chunk: bytes, has_more: bool) -> None:
        if type(chunk) is not bytes:
            chunk = bytes(chunk)
        if self._stream is not None:
            if self._stream.feed(chunk) or not has_more:
                self._finish(self._stream.found())
        elif not has_more and self._body is None:
            self._finish(read_body(chunk) if self._is_readable else None)
        else:
            self._gather(chunk, has_more)

    def _gather(self, chunk: bytes, has_more: bool) -> None:
        """A body in pieces. With its last byte a client has all of it, whatever comes after."""
        if self._body is None:
            self._body = Excerpt()
        if self._is_readable:
            self._body.add(chunk)
        if self._missing != _UNKNOWN_LENGTH:
            self._missing = max(self._missing - len(chunk), 0)
        if not has_more or self._missing == 0:
            self._finish(self._found())

    def _found(self) -> Found | None:
        """``None``: compressed."""
        if self._stream is not None:
            return self._stream.found()
        if not self._is_readable:
            return None
        return read(self._body.ends(), is_event=False) if self._body is not None else Found()

    def _finish(self, found: Found | None) -> None:
        self._is_open = False
        self._book.enter(self._attribution, found, cost=self._cost, is_cache_hit=self._is_cache_hit)
