"""URLs of the pages and the API, as a browser has to write them wherever the app is mounted."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, quote_plus

from starlette.types import Scope

from nullspend_margins.config import Config
from nullspend_margins.web.target import path_below_mount, sent_path


class Links:
    """Links for one request: below its ``root_path``, ``[server] prefix``, ``[dashboard] path``."""

    def __init__(self, config: Config, scope: Scope) -> None:
        mount: str = scope.get("root_path", "").rstrip("/")
        self._mount = quote(mount)
        self._root: str = mount + config.server.prefix
        self.base: str = quote(self._root + config.dashboard.path)

    def page(self, path: str = "", **query: object) -> str:
        """A page, ``path`` below the dashboard's own. Query values that are ``None`` are left out.

        ``path`` is not quoted: see ``customer`` for paths that hold a name.
        """
        return self.base + path + _query(query)

    def customer(self, tag_value: str, **query: object) -> str:
        """The page of one customer, also of those that a path can't carry."""
        if tag_value in (".", "..") or tag_value.startswith("/"):
            return self.page("/customers/-", tagValue=tag_value, **query)
        return self.page("/customers/" + quote(tag_value, safe=""), **query)

    def customers(self, **query: object) -> Callable[[str], str]:
        """``customer`` with one query, for a table of many."""
        before, after = self.page("/customers/"), _query(query)

        def link(tag_value: str) -> str:
            if tag_value.startswith(("/", ".")):
                return self.customer(tag_value, **query)
            return f"{before}{quote(tag_value, safe='')}{after}"

        return link

    def here(self, scope: Scope) -> str:
        """The address that ``scope`` asks for, with its query, as the browser wrote it."""
        path = sent_path(scope) or quote(path_below_mount(scope))
        if self._mount and not path.startswith(f"{self._mount}/"):  # some servers take it off
            path = self._mount + path
        query = scope.get("query_string", b"").decode("latin-1")
        return f"{path}?{query}" if query else path

    def api(self, path: str, **query: object) -> str:
        """A route of the API."""
        return quote(self._root) + path + _query(query)


def _query(query: dict[str, object]) -> str:
    given = [
        f"{name}={quote_plus(str(value))}" for name, value in query.items() if value is not None
    ]
    return f"?{'&'.join(given)}" if given else ""
