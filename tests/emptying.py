"""Used databases of PostgreSQL, made as good as new in a tenth of the time that a new one takes.

The rows go, and so do connections and tables that the test added. What else makes a database what
it is must be as in the template that it was copied from: schema, rights, settings, statistics.
Where a test changed any of that, the database is no longer of use.
"""

from __future__ import annotations

from typing import Any

import psycopg

from nullspend_margins.storage.columns import VERSION_TABLE

_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_TABLES = """
    SELECT oid, oid::regclass::text AS name, pg_relation_size(oid) > 0 FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY pg_class.oid"""
_CATALOGS = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relisshared
    AND relnamespace = 'pg_catalog'::regnamespace AND relname <> 'pg_class' ORDER BY relname"""
# To empty a table changes its row in pg_class: these columns stay. That an index has no rows is
# written in two ways.
_RELATIONS = """
    SELECT oid, relname, relowner, relacl, reloptions, relrowsecurity, relpersistence,
        CASE relkind WHEN 'r' THEN reltuples END, reltablespace
    FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace ORDER BY oid"""
_DATABASE = """
    SELECT datdba, datacl, datallowconn, datconnlimit,
        (SELECT array_agg(setconfig) FROM pg_db_role_setting WHERE setdatabase = each.oid)
    FROM pg_database AS each WHERE datname = current_database()"""

Connection = psycopg.Connection[Any]


class Template:
    """What databases are copied from, and what they are compared with."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            self._tables = {row[0] for row in _rows(connection, _TABLES)}
            names = [row[0] for row in _rows(connection, _CATALOGS)]
            # A row that is changed gets another xmin.
            each = "SELECT count(*), max(xmin::text::bigint) FROM pg_catalog."
            self._catalogs = " UNION ALL ".join(each + name for name in names)
            self._state = self._state_of(connection)

    def restore(self, url: str) -> bool:
        """Whether the database at ``url``, a copy, is the same again."""
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(_END_OTHERS)
                self._empty(connection)
                return self._state_of(connection) == self._state
        except psycopg.Error:
            return False

    def _empty(self, connection: Connection) -> None:
        filled = []
        for oid, name, has_pages in _rows(connection, _TABLES):
            if oid not in self._tables:
                connection.execute(f"DROP TABLE IF EXISTS {name} CASCADE".encode())
            elif has_pages and name != VERSION_TABLE:
                filled.append(name)
        if filled:
            connection.execute(f"TRUNCATE {', '.join(filled)}".encode())

    def _state_of(self, connection: Connection) -> list[object]:
        version = f"SELECT * FROM {VERSION_TABLE}"  # noqa: S608 - a name of ours
        questions = (self._catalogs, _RELATIONS, _DATABASE, version)
        return [_rows(connection, each) for each in questions]


def _rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(statement.encode()).fetchall()
