"""A proxy's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.litellm_plugin.schema import LiteLLMDatabase, litellm_database, make_template
from tests.postgres import PostgresForTests


@pytest.fixture(scope="session")
def litellm_server(postgres_server: PostgresForTests) -> PostgresForTests:
    make_template(postgres_server)
    return postgres_server


@pytest.fixture(scope="session")
def _shared_tables(litellm_server: PostgresForTests) -> Iterator[LiteLLMDatabase]:
    with litellm_database(litellm_server, "litellm_shared") as database:
        yield database


@pytest.fixture
def tables(_shared_tables: LiteLLMDatabase) -> LiteLLMDatabase:
    """LiteLLM's tables as its migrations make them, empty; for filling, not for changing."""
    _shared_tables.clear()
    return _shared_tables


@pytest.fixture
def own_tables(litellm_server: PostgresForTests) -> Iterator[LiteLLMDatabase]:
    """The same, to be changed: there are more than a hundred of them, so it takes a second."""
    with litellm_database(litellm_server, "litellm_own") as database:
        yield database
