"""What a transaction of PostgreSQL is told, and forgets with its end."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, create_engine, text

from nullspend_margins.storage.dialects import sort_in_memory
from tests.postgres import PostgresForTests


def memory(tx: Connection) -> str:
    return str(tx.scalar(text("SHOW work_mem")))


@pytest.mark.parametrize(
    ("operators", "ours"), [("4MB", "64MB"), ("512kB", "64MB"), ("64MB", "64MB"), ("1GB", "1GB")]
)
def test_a_sync_sorts_in_no_less_memory_than_the_operator_gives(
    postgres_server: PostgresForTests, operators: str, ours: str
) -> None:
    with postgres_server.database(migrated=False) as url:
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            connection.execute(text(f"SET work_mem = '{operators}'"))
            connection.commit()
            with connection.begin():
                sort_in_memory(connection)
                assert memory(connection) == ours
            assert memory(connection) == operators
        engine.dispose()
