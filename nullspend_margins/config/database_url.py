"""The database's URL: which kinds there are, and where a relative file is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

_SQLITE, _POSTGRESQL = "sqlite", "postgresql"
_ALIASES = {"postgres": _POSTGRESQL, "sqlite3": _SQLITE}
_MEMORY = ("", ":memory:")


def absolute_url(url: str, base: Path) -> str:
    """``url`` without a driver's name, and with an absolute file starting at ``base``.

    Raises ``ValueError`` with what is wrong; never repeats the URL, which may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    kind = scheme.partition("+")[0].lower()
    kind = _ALIASES.get(kind, kind)
    if not separator or kind not in (_SQLITE, _POSTGRESQL):
        raise ValueError(
            "must start with sqlite:/// or postgresql://, for example sqlite:///margins.db"
        )
    if kind == _POSTGRESQL:
        if find_spec("psycopg") is None:
            raise ValueError('needs psycopg: pip install "nullspend-margins[postgres]"')
        return _checked_postgresql(f"{kind}://{rest}")
    name, _, options = rest.removeprefix("/").partition("?")
    if options:
        raise ValueError(
            f"has the option {_first_key(options)}, and SQLite URLs take none here. "
            "Write the file alone: sqlite:///margins.db"
        )
    if name in _MEMORY:
        raise ValueError(
            "names no file; the costs of an in-memory database would be lost. "
            "Write sqlite:///margins.db"
        )
    if not rest.startswith("/"):
        raise ValueError(f"needs three slashes before a file: sqlite:///{Path(name).name}")
    return f"{_SQLITE}:///{base.absolute() / name}"


def sqlite_file(url: str) -> Path | None:
    """The file of an absolute SQLite URL, ``None`` for PostgreSQL."""
    if not url.startswith(f"{_SQLITE}:///"):
        return None
    return Path(url.removeprefix(f"{_SQLITE}:///"))


def _first_key(options: str) -> str:
    """The name of the first option; its value may be a secret."""
    return repr(options.partition("&")[0].partition("=")[0])


def _checked_postgresql(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(
            "is no URL: a password with special characters must be percent-encoded"
        ) from None
    if not parts.path.strip("/"):
        raise ValueError("names no database: postgresql://user@host/name")
    return url
