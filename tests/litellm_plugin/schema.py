"""The proxy's own tables: every migration that LiteLLM ships, and rows as it writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from nullspend_margins_litellm.settings import LiteLLMSettings
from tests.litellm_plugin.support import settings
from tests.postgres import PostgresForTests

TEMPLATE = "litellm_template"
FILLED = (
    '"LiteLLM_SpendLogs"',
    '"LiteLLM_DailyEndUserSpend"',
    '"LiteLLM_DailyUserSpend"',
    '"LiteLLM_VerificationToken"',
)


def migrations() -> list[Path]:
    """The SQL of every migration, in the order in which the proxy runs them."""
    spec = find_spec("litellm_proxy_extras")
    assert spec is not None and spec.origin is not None
    return sorted(Path(spec.origin).parent.glob("migrations/*/migration.sql"))


def make_template(server: PostgresForTests) -> None:
    """A database with LiteLLM's schema, to be copied for each test."""
    server.execute(f"CREATE DATABASE {TEMPLATE}")
    with psycopg.connect(server.url(TEMPLATE), autocommit=True) as connection:
        for each in migrations():
            connection.execute(each.read_text("utf-8"))  # type: ignore[call-overload]
        connection.execute("DROP ROLE IF EXISTS margins_reader")
        connection.execute("CREATE ROLE margins_reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO margins_reader")


@dataclass(frozen=True, slots=True)
class LiteLLMDatabase:
    """A proxy's database. ``url`` is its owner's."""

    url: str

    @property
    def reading_url(self) -> str:
        """For a role that may SELECT, and nothing else."""
        return self.url.replace("postgres@", "margins_reader@")

    def settings(self, **table: Any) -> LiteLLMSettings:
        """``[plugins.litellm]`` that reads this database."""
        return settings(database_url=self.reading_url, **table)

    def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Rows of the same columns."""
        if not rows:
            return
        columns = ", ".join(f'"{name}"' for name in rows[0])
        values = ", ".join(f"%({name})s" for name in rows[0])
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            statement = f'INSERT INTO "{table}" ({columns}) VALUES ({values})'  # noqa: S608
            cursor.executemany(statement.encode(), rows)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the owner; its rows, if it has any."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def clear(self) -> None:
        """No rows in any table that tests fill."""
        self.execute(f"TRUNCATE {', '.join(FILLED)} CASCADE")

    def calls(self, *rows: Mapping[str, object]) -> None:
        """Rows of ``LiteLLM_SpendLogs``."""
        self.insert("LiteLLM_SpendLogs", [call(**row) for row in rows])

    def days(self, *rows: Mapping[str, object], table: str = "LiteLLM_DailyEndUserSpend") -> None:
        """Rows of a table of daily sums."""
        self.insert(table, [day(**row) for row in rows])


@contextmanager
def litellm_database(server: PostgresForTests, name: str) -> Iterator[LiteLLMDatabase]:
    """A copy of the template, which is dropped afterwards."""
    server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    try:
        yield LiteLLMDatabase(server.url(name))
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def call(request_id: str, at: str, spend: float = 0.001, **columns: object) -> dict[str, object]:
    """A row of ``LiteLLM_SpendLogs``; ``at`` is in UTC."""
    metadata = columns.pop("metadata", {})
    return {
        "request_id": request_id,
        "call_type": "acompletion",
        "spend": spend,
        "startTime": datetime.fromisoformat(at),
        "endTime": datetime.fromisoformat(at),
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "end_user": "acme",
        "team_id": "",
        "organization_id": None,
        "cache_hit": "None",
        "status": "success",
        "litellm_call_id": f"call-{request_id}",
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "api_key": "hash-1",
        "messages": '{"content": "a secret prompt"}',
        "response": '{"content": "a secret answer"}',
        **columns,
        "metadata": json.dumps({"user_api_key_alias": "key-of-acme", **dict(metadata)}),  # type: ignore[call-overload]
    }


def day(id: str, date: str, spend: float, **columns: object) -> dict[str, object]:  # noqa: A002
    """A row of a table of daily sums, last changed at noon of its day."""
    return {
        "id": id,
        "date": date,
        "api_key": "hash-1",
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "spend": spend,
        "api_requests": 1,
        "updated_at": datetime.fromisoformat(f"{date}T12:00:00"),
        **columns,
    }
