"""A world of its own for each test, on both databases."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.world import World, world


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """The product on each database, with nothing in it yet."""
    async with world(database_url) as made:
        yield made
