"""Style sheet, script and logo, kept by browsers for as long as they stay the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response

from nullspend_margins.config import Config
from nullspend_margins.errors import ConfigurationError, NotFound
from nullspend_margins.web.answers import answer

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_MAX_LOGO_BYTES = 512 * 1024
_STATIC = {
    "dashboard.js": "dashboard.js",
    "htmx.min.js": "vendor/htmx.min.js",
    "icon.svg": "icon.svg",
}
"""Names in templates, and the files."""
_STYLES = {
    "dashboard.css": ("base",),
    "margins.css": ("margins",),
    "customer.css": ("charts", "customer"),
    "matching.css": ("matching",),
    "connect.css": ("connect",),
    "missing.css": (),
}
"""Sheets, and what each is joined of in ``static/css``. A page has the first and its own: no page
can change how another one looks.
"""
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    # A picture may hold scripts: opened by itself, it runs none.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class Assets:
    """Everything a page loads. A name carries a hash of the content, so that no old one is used.

    Raises ``ConfigurationError`` for a logo that can't be read.
    """

    def __init__(self, config: Config) -> None:
        folder = files("nullspend_margins.dashboard") / "static"
        content = {name: (folder / file).read_bytes() for name, file in _STATIC.items()}
        for sheet, parts in _STYLES.items():
            content[sheet] = b"".join(
                (folder / "css" / f"{name}.css").read_bytes() for name in parts
            )
        content["theme.css"] = theme_css(config).encode()
        logo = config.dashboard.logo
        if logo is not None:
            content[f"logo{logo.suffix.lower()}"] = read_logo(config, logo)
        self._content: Mapping[str, bytes] = content
        self._names = {name: _hashed(name, data) for name, data in content.items()}
        self._by_hash = {hashed: name for name, hashed in self._names.items()}

    @property
    def logo(self) -> str | None:
        """The logo's name, if there is one."""
        return next((name for name in self._content if name.startswith("logo.")), None)

    def hashed(self, name: str) -> str:
        """``dashboard.css`` as ``dashboard.0a1b2c3d.css``."""
        return self._names[name]

    def answer(self, hashed: str) -> Response:
        """One of them. Raises ``NotFound``."""
        name = self._by_hash.get(hashed)
        if name is None:
            raise NotFound("There is no such file; load the page again.")
        media_type = _TYPES[Path(name).suffix]
        return answer(self._content[name], media_type=media_type, headers=_HEADERS)


def theme_css(config: Config) -> str:
    """The variables of ``[dashboard.theme]``; they win over the style sheet's own."""
    settings = config.dashboard
    light = _variables(settings.theme)
    dark = _variables({**settings.theme, **settings.theme_dark})
    return (
        f":root{{{light}}}\n"
        f"@media (prefers-color-scheme: dark){{:root:not([data-scheme=light]){{{dark}}}}}\n"
        f":root[data-scheme=dark]{{{dark}}}\n"
    )


def _variables(theme: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in theme.items())


def _hashed(name: str, data: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:10]}.{suffix}"


def read_logo(config: Config, path: Path) -> bytes:
    """The picture. Raises ``ConfigurationError`` where it is missing or too large."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ConfigurationError(
            f"{config.locate('dashboard.logo')}: {path} cannot be read: {problem.strerror}"
        ) from problem
    if len(content) > _MAX_LOGO_BYTES:
        raise ConfigurationError(
            f"{config.locate('dashboard.logo')}: {path} is larger than {_MAX_LOGO_BYTES} bytes"
        )
    return content
