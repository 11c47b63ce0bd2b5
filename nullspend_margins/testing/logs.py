"""What is logged while something runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self._lines = lines
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@contextmanager
def logged_lines() -> Iterator[list[str]]:
    """Every line of level INFO and above, tracebacks included, as a host would see it.

    httpx logs the URL of each request at INFO.
    """
    lines: list[str] = []
    root, collector = logging.getLogger(), _Collector(lines)
    level = root.level
    root.addHandler(collector)
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(collector)
