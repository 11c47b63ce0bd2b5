"""From a configured URL to one that an engine takes, without asking the database."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote

from sqlalchemy import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

AGGREGATING = ("postgresql", "sqlite", "mysql", "mariadb")
"""The dialects that exact sums and UTC months are written for."""

_NO_URL = (
    "is no URL, as in postgresql://user@host/name or sqlite:////srv/host.db; a password with "
    "special characters must be percent-encoded"
)
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite3": "sqlite",
}
"""What people write, and the driver that comes with the product."""
_DRIVER_PACKAGES = {
    "psycopg": '"nullspend-margins[postgres]"',
    "psycopg2": "psycopg2-binary",
    "mysqldb": "mysqlclient",
    "oracledb": "oracledb",
}
_DIALECT_PACKAGES = {
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "databricks": "databricks-sqlalchemy",
    "duckdb": "duckdb-engine",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "trino": "trino",
}


def engine_url(text: str, *, aggregates: bool) -> URL:
    """``text`` as an engine takes it, its driver imported.

    Raises ``ValueError`` with what is wrong and what to do; never repeats ``text``, which may
    hold a password.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise ValueError(_NO_URL) from None
    if "@" in (url.host or ""):  # what stands before it is the end of a password
        raise ValueError(_NO_URL)
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    _check_driver(url)
    if aggregates and url.get_backend_name() not in AGGREGATING:
        raise ValueError(
            f'mode = "aggregate" adds up in {", ".join(AGGREGATING)}; for '
            f'{url.get_backend_name()} set mode = "pull"'
        )
    return _sqlite_url(url) if url.get_backend_name() == "sqlite" else url


def _check_driver(url: URL) -> None:
    kind = url.get_backend_name()
    try:
        dialect: type[Dialect] = url.get_dialect()
    except NoSuchModuleError:
        package = _DIALECT_PACKAGES.get(kind)
        raise ValueError(
            f"nothing here knows {url.drivername}://. "
            + (f"pip install {package}" if package else "Install the SQLAlchemy dialect for it")
        ) from None
    if dialect.is_async:
        raise ValueError(
            f"{url.drivername} is an asynchronous driver, and queries run in threads; "
            f"leave +{url.get_driver_name()} away"
        )
    try:
        dialect.import_dbapi()
    except ImportError:
        driver = dialect.driver
        package = _DRIVER_PACKAGES.get(driver, driver)
        raise ValueError(
            f"{kind} needs the driver {driver}, which is not installed: pip install {package}"
        ) from None


def _sqlite_url(url: URL) -> URL:
    """A URL that opens the file, and never makes one that is not there."""
    file = url.database or ""
    if file.startswith("file:"):
        return url
    if url.query:
        raise ValueError(
            "has options, which a SQLite file takes only as sqlite:///file:/srv/host.db?...&uri=true"
        )
    if not file or file == ":memory:":
        raise ValueError("names no file; write sqlite:////srv/host.db")
    if not PurePath(file).is_absolute():
        raise ValueError("names a relative file; write the whole path: sqlite:////srv/host.db")
    return url.set(database=f"file:{quote(file)}", query={"mode": "rw", "uri": "true"})
