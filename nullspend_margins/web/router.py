"""From a path to the routes on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nullspend_margins.errors import MethodNotAllowed
from nullspend_margins.web.route import PageRoute, Route

AnyRoute = Route | PageRoute

_PLACE = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True, slots=True)
class Match:
    """A path of the table that fits: its routes by method, and the path's parameters."""

    path: str
    routes: Mapping[str, AnyRoute]
    params: Mapping[str, str]

    def route(self, method: str) -> AnyRoute:
        """The route of ``method``; a safe GET's for HEAD. Raises ``MethodNotAllowed``."""
        found = self.routes.get("GET" if method == "HEAD" else method)
        if found is None or (method == "HEAD" and not found.is_safe):
            raise MethodNotAllowed(method, self._allowed())
        return found

    def _allowed(self) -> list[str]:
        head = ["HEAD"] if (get := self.routes.get("GET")) and get.is_safe else []
        return [*self.routes, *head]


class Router:
    """Looks paths up: literal ones first, then those with places, in the table's order."""

    def __init__(self, routes: Sequence[AnyRoute], prefix: str) -> None:
        by_path: dict[str, dict[str, AnyRoute]] = {}
        for route in routes:
            by_path.setdefault(route.path, {})[route.method] = route
        self._prefix = f"{prefix}/"
        self._literal = {
            path: Match(path, on, {}) for path, on in by_path.items() if "{" not in path
        }
        self._patterns = [
            (_pattern(path), _ending(path), path, on) for path, on in by_path.items() if "{" in path
        ]
        self._beginnings = tuple({path.partition("{")[0] for path in by_path if "{" in path})

    def find(self, path: str, last_sent: Callable[[], str | None] = lambda: None) -> Match | None:
        """The match of a decoded path below the mount, or ``None``.

        ``last_sent`` tells the path's last segment as it was sent, decoded: where ``{name:path}``
        has a segment behind it, a slash in the name must not be taken for the one before that.
        ``None``: nobody knows, so that every slash is one.

        Quick to say ``None``: as a middleware it is asked about every request of the host.
        """
        if not path.startswith(self._prefix):
            return None
        path = path[len(self._prefix) - 1 :]
        literal = self._literal.get(path)
        if literal is not None:
            return literal
        if not path.startswith(self._beginnings):
            return None
        for pattern, ending, template, on in self._patterns:
            found = pattern.fullmatch(path)
            if found is not None and (not ending or last_sent() in (None, ending)):
                return Match(template, on, found.groupdict())
        return None


def _pattern(path: str) -> re.Pattern[str]:
    """``{name}`` is one segment that is not empty, ``{name:path}`` anything, newlines too."""
    template = _PLACE.sub(lambda place: _group(place[1], spanning=bool(place[2])), path)
    return re.compile(template, re.DOTALL)


def _ending(path: str) -> str:
    """The segment behind ``{name:path}``; empty where there is none."""
    return path.partition(":path}")[2].removeprefix("/")


def _group(name: str, *, spanning: bool) -> str:
    return f"(?P<{name}>{'.*' if spanning else '[^/]+'})"
