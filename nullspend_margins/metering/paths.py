"""Which requests are metered, told as quickly as can be for all the others."""

from __future__ import annotations

import re
from collections.abc import Sequence


class Paths:
    """Exact paths, and patterns in which ``*`` is one segment."""

    def __init__(self, paths: Sequence[str]) -> None:
        plain = [_plain(path) for path in paths]
        self.exact: frozenset[str] = frozenset(path for path in plain if "*" not in path)
        patterns = [_pattern(path) for path in plain if "*" in path]
        self.pattern: re.Pattern[str] | None = re.compile("|".join(patterns)) if patterns else None

    def fits(self, path: str, root_path: str) -> bool:
        """Whether ``path`` is one of them, from the server's root or from the mount's."""
        if self._has(path):
            return True
        return bool(root_path) and path.startswith(root_path) and self._has(path[len(root_path) :])

    def _has(self, path: str) -> bool:
        path = _plain(path)
        if path in self.exact:
            return True
        return self.pattern is not None and self.pattern.fullmatch(path) is not None


def _pattern(path: str) -> str:
    return "[^/]+".join(re.escape(part) for part in path.split("*"))


def _plain(path: str) -> str:
    """``path`` as routers read it: to some a slash too many, or a final line feed, is nothing.

    Starlette's patterns end with ``$``, which lets ``/v1/embeddings%0A`` through.
    """
    if not path.endswith(("/", "\n")) and "//" not in path:
        return path
    return "/" + "/".join(filter(None, path.rstrip("\n").split("/")))
