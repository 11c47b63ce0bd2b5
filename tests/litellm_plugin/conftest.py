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


@pytest.fixture
def tables(litellm_server: PostgresForTests) -> Iterator[LiteLLMDatabase]:
    """LiteLLM's tables as its migrations make them, empty."""
    with litellm_database(litellm_server) as database:
        yield database
