"""Many rows in one statement."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from nullspend_margins.storage import bulk
from nullspend_margins.storage.bulk import BulkInsert, replacing
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.tables import revisions
from tests.storage.builders import rows

_put = BulkInsert(revisions, replacing(revisions))
_OLDEST_MOST_VALUES = 32_766
"""Of a statement, as SQLite is built by default since 3.32; some builds take more."""


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 499, 500, 501, 1601])
async def test_any_number_of_rows_is_written_once(database: Database, count: int) -> None:
    wanted = [(f"org_{number:05}", number) for number in range(count)]

    def write(tx: Connection) -> tuple[int, int]:
        first = _put.write(tx, wanted)
        return first, _put.write(tx, [(org, number + 1) for org, number in wanted])

    assert await database.write(write) == (count, count)
    found = await database.read(
        lambda tx: [row for org, _ in wanted for row in rows(tx, revisions, org)]
    )
    assert found == [(number + 1,) for _, number in wanted]


def test_the_widest_table_fits_into_sqlites_largest_statement() -> None:
    widest = max(len(table.columns) for table in revisions.metadata.tables.values())
    assert widest * max(bulk._AT_ONCE) <= _OLDEST_MOST_VALUES
