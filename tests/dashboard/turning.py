"""Texts that turn what stands beside them, and where on a page they could."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

TURNING = "שלום\u2069\u202eevil\u2067"
"""Letters from right to left; ends an isolate that others began, turns what follows, begins one."""

_LEFT_TO_RIGHT = {"L", "EN", "ES", "ET", "CS", "NSM", "BN", "WS", "ON"}
_BEGINS, _ENDS = {"LRI", "RLI", "FSI"}, "PDI"
_SHOWN = {"alt", "aria-label", "placeholder", "title"}
"""Attributes that people read."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open_bdi = 0
        self.found: list[str] = []
        self.isolated = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open_bdi += tag == "bdi"
        for name, value in attrs:
            if name in _SHOWN and value:
                self._look(value, is_apart=False)

    def handle_endtag(self, tag: str) -> None:
        self.open_bdi -= tag == "bdi"

    def handle_data(self, data: str) -> None:
        self._look(data, is_apart=self.open_bdi > 0)

    def _look(self, text: str, *, is_apart: bool) -> None:
        if turns(text, is_apart=is_apart):
            self.found.append(ascii(text.strip()))
        else:
            self.isolated += not text.isascii() and TURNING[:4] in text


def turns(text: str, *, is_apart: bool) -> bool:
    """Whether ``text`` turns what is around it. ``is_apart``: an element keeps it from that."""
    depth = 0
    for each in " ".join(text.split("\n")).strip():
        kind = unicodedata.bidirectional(each)
        if kind in _BEGINS:
            depth += 1
        elif kind == _ENDS:
            depth -= 1
        elif kind == "B" or not (depth or is_apart or kind in _LEFT_TO_RIGHT):
            return True
        if depth < 0:
            return True
    return depth > 0


def turning(page: str) -> list[str]:
    """The texts of a page that turn what is beside them; what is typed in fields is not of it."""
    return _read(page).found


def isolated_texts(page: str) -> int:
    """How many texts of a page would turn something, were they not isolated."""
    return _read(page).isolated


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader
