"""What of the matching page somebody looks at: its address, and the hidden fields of its forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nullspend_margins.dashboard.forms import Form
from nullspend_margins.dashboard.links import Links
from nullspend_margins.domain.text import MAX_TEXT, one_line

_MOST_PAGES = 100_000


class MatchingView(NamedTuple):
    """``show`` is empty for what is open, else ``mapped``; ``only`` is empty or ``suggested``.

    ``c``, ``t``, ``p`` and ``m`` are the pages of customers, tag values, pending matches and
    mappings, from 1.
    """

    q: str = ""
    show: str = ""
    only: str = ""
    c: int = 1
    t: int = 1
    p: int = 1
    m: int = 1

    @classmethod
    def asked(cls, get: Callable[[str], str | None]) -> MatchingView:
        """By an address or a form. What makes no sense counts as nothing."""
        return cls(
            q=one_line(get("q") or "")[:MAX_TEXT],
            show="mapped" if get("show") == "mapped" else "",
            only="suggested" if get("only") == "suggested" else "",
            **{name: _page(get(name)) for name in ("c", "t", "p", "m")},
        )

    @classmethod
    def of_form(cls, form: Form) -> MatchingView:
        """What the form's page was showing."""
        return cls.asked(form.get)

    @property
    def fields(self) -> dict[str, str]:
        """What is not as it is by default, for addresses and hidden fields."""
        return {
            name: str(value)
            for name, value in self._asdict().items()
            if value != self._field_defaults[name]
        }

    def link(self, links: Links, **changes: object) -> str:
        """The page's address, with ``changes``."""
        # The fields of a view, each of a type of its own.
        return links.page("/matching", **self._replace(**changes).fields)  # type: ignore[arg-type]

    def searched(self, links: Links, **changes: object) -> str:
        """The same from the first page of everything: what is listed is other than before."""
        return self._replace(c=1, t=1, p=1, m=1).link(links, **changes)


def _page(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        return 1
    return min(max(int(text[:8]), 1), _MOST_PAGES)
