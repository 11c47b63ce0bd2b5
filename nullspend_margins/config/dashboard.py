"""``[dashboard]``: the pages for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from nullspend_margins.config.nearest import suggestion
from nullspend_margins.config.sections import setting
from nullspend_margins.config.values import prefix_problem, url_problem

Scheme = Literal["auto", "light", "dark"]

THEME_VARIABLES = (
    "accent",
    "accent-text",
    "background",
    "surface",
    "text",
    "muted",
    "border",
    "healthy",
    "moderate",
    "at-risk",
    "critical",
    "font",
    "radius",
)
"""What ``[dashboard.theme]`` may set: CSS variables ``--accent`` and so on."""

NEXT_PLACE = "{next}"
"""In ``login_url``: the address of the page that was wanted."""

_CSS_VALUE = re.compile(r"[A-Za-z0-9#%.,()'\" _+-]{1,200}")
_ORIGIN = re.compile(r"(https?://)?(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_BRACES = re.compile(r"\{+[^{}]*\}*|\}+")
_LOGO_TYPES = (".svg", ".png", ".jpg", ".jpeg", ".webp")


def _path_problem(path: str) -> str | None:
    if path in ("", "/"):
        return "must be a path like /margins: the pages need a place of their own"
    if path == "/api" or path.startswith("/api/"):
        return "must not lie under /api, which is the API's"
    return prefix_problem(path)


def _frame_problem(origins: tuple[str, ...]) -> str | None:
    wrong = [each for each in origins if each != "self" and not _ORIGIN.fullmatch(each)]
    return (
        f'holds {wrong[0]!r}; write "self" or an origin as https://admin.example.com'
        if wrong
        else None
    )


def _locale_problem(locale: str) -> str | None:
    if not locale:
        return None
    # Babel takes a while to load: whoever names no locale does not wait for it.
    from nullspend_margins.config.locales import locale_problem

    return locale_problem(locale)


def _login_problem(url: str) -> str | None:
    """What is no link, or has braces that nothing would be put into."""
    for found in _BRACES.findall(url):
        if found != NEXT_PLACE:
            return (
                f"{found} means nothing here. Did you mean {NEXT_PLACE}, which becomes the page "
                "that was wanted? A brace of the address itself is written %7B or %7D"
            )
    return url_problem(url)


def _logo_problem(logo: Path | None) -> str | None:
    if logo is None or logo.suffix.lower() in _LOGO_TYPES:
        return None
    return f"must be a picture: {', '.join(_LOGO_TYPES)}"


def _theme_problem(theme: Mapping[str, str]) -> str | None:
    for name, value in theme.items():
        if name not in THEME_VARIABLES:
            return f"{name}: there is no such variable. {suggestion(name, THEME_VARIABLES)}"
        if not _CSS_VALUE.fullmatch(value) or "url" in value.lower():
            return f"{name}: must be a plain CSS value as #0f766e, without ; or url()"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """``[dashboard]``"""

    enabled: bool = setting(True, help="Whether there are pages for people.")
    path: str = setting(
        "/margins", help="Where the pages are, behind `[server] prefix`.", check=_path_problem
    )
    login_url: str = setting(
        "",
        help="Where people sign in to the host; `{next}` in it becomes the page that they wanted.",
        check=_login_problem,
    )
    name: str = setting("Margins", help="What the pages call the product.")
    logo: Path | None = setting(
        None, help="A picture to show beside the name: SVG, PNG, JPEG or WebP.", check=_logo_problem
    )
    locale: str = setting(
        "",
        help="How numbers and dates are written: a locale of CLDR, for example `de` or `en_GB`. "
        "Empty: as each reader's browser asks.",
        check=_locale_problem,
    )
    rows_per_page: int = setting(
        50, help="Customers on one page of a table.", unit="rows", at_least=10, at_most=500
    )
    frame_ancestors: tuple[str, ...] = setting(
        (),
        help='Who may show the pages in a frame: `"self"`, or origins such as '
        "`https://admin.example.com`. Empty: nobody.",
        check=_frame_problem,
    )
    scheme: Scheme = setting("auto", help="`light`, `dark`, or `auto`: as the reader's system is.")
    theme: Mapping[str, str] = setting(
        help="CSS variables by name without the dashes, for example `accent`: "
        + ", ".join(f"`{name}`" for name in THEME_VARIABLES)
        + ".",
        factory=lambda: MappingProxyType({}),
        check=_theme_problem,
    )
    theme_dark: Mapping[str, str] = setting(
        help="The same for the dark scheme.",
        factory=lambda: MappingProxyType({}),
        check=_theme_problem,
    )
