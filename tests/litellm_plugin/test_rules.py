"""The plugin's objects keep the rules that all plugins are held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from nullspend_margins import Principal, Scope, Secret, ServiceUnavailable
from nullspend_margins.testing import AuthenticatorSuite, PulledCostSourceSuite, http_scope
from nullspend_margins_litellm.authenticator import LiteLLMAuthenticator
from nullspend_margins_litellm.reading import PostgresReader, Row
from nullspend_margins_litellm.settings import LiteLLMSettings
from nullspend_margins_litellm.source import LiteLLMTables
from tests.litellm_plugin.schema import LiteLLMDatabase
from tests.litellm_plugin.support import settings

ADMIN_KEY = "sk-key-of-the-administrator"
USER_KEY = "sk-key-of-somebody-else"


@dataclass
class Found:
    """As much of the proxy's ``UserAPIKeyAuth`` as is looked at."""

    user_id: str
    user_role: str
    team_id: str | None = None


class Refused(Exception):
    """As the proxy refuses a key: with a status, and the key in its text."""

    code = "401"


async def the_proxy(key: str, _scope: Scope) -> Found:
    people = {ADMIN_KEY: Found("ada", "proxy_admin"), USER_KEY: Found("eve", "internal_user")}
    if key not in people:
        raise Refused(f"Invalid key: {key}")
    return people[key]


async def no_proxy(key: str, _scope: Scope) -> Found:
    raise ConnectionError(f"could not look up {key}")


class TestKeysOfTheProxy(AuthenticatorSuite):
    good = http_scope(bearer=ADMIN_KEY)
    refused = (http_scope(bearer=USER_KEY), http_scope(bearer="sk-unknown"))
    principal = Principal(org_id="org_1", user_id="ada", role="owner")

    def make(self) -> LiteLLMAuthenticator:
        return LiteLLMAuthenticator(settings(), ask=the_proxy)

    def make_unreachable(self) -> LiteLLMAuthenticator:
        return LiteLLMAuthenticator(settings(), ask=no_proxy)


class Failing:
    """A database that goes away after some questions."""

    def __init__(self, reader: PostgresReader, questions: int) -> None:
        self._reader = reader
        self._questions = questions

    async def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[Row]:
        self._questions -= 1
        if self._questions < 0:
            raise ServiceUnavailable("LiteLLM's database does not answer: gone")
        return await self._reader.rows(statement, values)


class Tables(PulledCostSourceSuite):
    """Two pages and more; what is late is read again."""

    overlaps = True
    table: ClassVar[Mapping[str, Any]] = {}
    good_questions: ClassVar[int]

    @pytest.fixture(autouse=True)
    def _sample(self, tables: LiteLLMDatabase) -> None:
        self.tables = tables
        self.fill()

    def fill(self) -> None:
        raise NotImplementedError

    def chosen(self) -> LiteLLMSettings:
        return self.tables.settings(**self.table)

    def make(self) -> LiteLLMTables:
        return LiteLLMTables(self.chosen(), page_rows=3)

    def make_unreachable(self) -> LiteLLMTables:
        nobody = settings(database_url="postgresql://u:p@127.0.0.1:9/db", **self.table)
        return LiteLLMTables(nobody)

    def make_failing_half_way(self) -> LiteLLMTables:
        reader = Failing(PostgresReader(Secret(self.tables.reading_url)), self.good_questions)
        return LiteLLMTables(self.chosen(), reader=reader, page_rows=3)


class TestSingleCalls(Tables):
    nanodollars: ClassVar[Mapping[str, int]] = {"org_1": 700_000_000, "org_2": 500_000_000}
    table: ClassVar[Mapping[str, Any]] = {"orgs": {"team-2": "org_2"}}
    good_questions = 2

    def fill(self) -> None:
        self.tables.calls(
            *(
                {
                    "request_id": f"r{n}",
                    "at": f"2026-04-05T{n:02}:00",
                    "spend": 0.1,
                    "team_id": "team-2" if n % 5 in (1, 3) else "",
                }
                for n in range(12)
            )
        )

    def add_costs(self, source: object) -> None:
        self.tables.calls({"request_id": "new", "at": "2026-04-06T10:00"})


class TestDailySums(Tables):
    nanodollars: ClassVar[Mapping[str, int]] = {"org_1": 1_300_000_000}
    good_questions = 4

    def fill(self) -> None:
        self.tables.days(
            *(
                {
                    "id": f"r{n}",
                    "date": f"2026-04-{n + 1:02}",
                    "spend": 0.1,
                    "end_user_id": f"c{n % 3}",
                }
                for n in range(12)
            )
        )
        self.tables.days(
            {"id": "a", "date": "2026-04-03", "spend": 0.2, "user_id": "u"},
            table="LiteLLM_DailyUserSpend",
        )

    def add_costs(self, source: object) -> None:
        self.tables.days({"id": "n", "date": "2026-04-14", "spend": 1.0, "end_user_id": "new"})


del Tables  # it is no sample itself
