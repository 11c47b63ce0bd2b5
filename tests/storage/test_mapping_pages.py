"""Mappings as they are looked through: the newest first, in pages, searched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from nullspend_margins.storage.database import Database
from nullspend_margins.storage.mapping_pages import IsWanted, read_page
from tests.storage.builders import NOW, ORG, mapping, put_mappings


def even(provider: str, customer_id: str, tag_value: str) -> bool:
    assert (provider, f"tag-{customer_id}") == ("stripe", tag_value)
    return int(customer_id) % 2 == 0


@pytest.fixture
async def filled(database: Database) -> Database:
    def fill(tx: Connection) -> None:
        for number in range(7):
            made = mapping(str(number), f"tag-{number}")
            put_mappings(tx, made._replace(created_at=NOW + timedelta(minutes=number)))
        put_mappings(tx, mapping("8", "theirs", org_id="org_2"))

    await database.write(fill)
    return database


@pytest.mark.parametrize(
    ("page", "is_wanted", "customers", "found", "shown"),
    [
        (1, None, "654", 7, 1),
        (2, None, "321", 7, 2),
        (3, None, "0", 7, 3),
        (99, None, "0", 7, 3),
        (1, even, "642", 4, 1),
        (2, even, "0", 4, 2),
        (3, even, "0", 4, 2),
        (1, lambda *_: False, "", 0, 1),
    ],
)
async def test_a_page_is_the_newest_of_those_that_are_wanted(
    filled: Database,
    page: int,
    is_wanted: IsWanted | None,
    customers: str,
    found: int,
    shown: int,
) -> None:
    got = await filled.read(lambda tx: read_page(tx, ORG, page, 3, is_wanted))
    assert "".join(each.customer_id for each in got.rows) == customers
    assert (got.total, got.found, got.page) == (7, found, shown)


async def test_an_org_without_mappings_has_one_empty_page(database: Database) -> None:
    for is_wanted in (None, even):
        assert await database.read(lambda tx, how=is_wanted: read_page(tx, ORG, 2, 3, how)) == (
            [],
            0,
            0,
            1,
        )
