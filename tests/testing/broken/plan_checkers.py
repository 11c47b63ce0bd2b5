"""A plan checker that keeps every rule, and those that each break one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nullspend_margins import (
    ServiceUnavailable,
)
from nullspend_margins.testing import (
    PlanCheckerSuite,
)
from tests.testing.support import network


class Plans:
    name = "plans-of-acme"

    def __init__(self, *, down: bool = False) -> None:
        self.plans = {"org_1": "pro", "org_2": "enterprise"}
        self.down = down

    async def plan(self, org_id: str) -> str | None:
        await network()
        if self.down:
            raise ServiceUnavailable("Acme does not say which plan this org has.")
        return self.plans.get(org_id)


class PlansRules(PlanCheckerSuite):
    plugin: ClassVar[type[Plans]] = Plans
    plans: Mapping[str, str] = {"org_1": "pro", "org_2": "enterprise"}

    def make(self) -> Plans:
        return self.plugin()

    def make_unreachable(self) -> Plans:
        return self.plugin(down=True)


class HasItsOwnWord(Plans):
    def __init__(self, *, down: bool = False) -> None:
        super().__init__(down=down)
        self.plans["org_2"] = "pro"


class SaysBasic(Plans):
    async def plan(self, org_id: str) -> str | None:
        return await super().plan(org_id) or "basic"


class WantsAscii(Plans):
    async def plan(self, org_id: str) -> str | None:
        try:
            org_id.encode("ascii")
        except UnicodeEncodeError:
            if not org_id.isprintable():
                return None
            raise
        return await super().plan(org_id)


class Strips(Plans):
    async def plan(self, org_id: str) -> str | None:
        return await super().plan(org_id.strip())


class AnswersOnce(Plans):
    async def plan(self, org_id: str) -> str | None:
        found = await super().plan(org_id)
        self.plans.pop(org_id, None)
        return found


class FreeWhenDown(Plans):
    async def plan(self, org_id: str) -> str | None:
        return None if self.down else await super().plan(org_id)


PLAN_CHECKERS: dict[str, type] = {
    "test_a_known_org_has_its_plan": HasItsOwnWord,
    "test_an_answer_is_a_plan_or_none": SaysBasic,
    "test_any_org_id_has_an_answer": WantsAscii,
    "test_an_org_id_is_compared_whole": Strips,
    "test_the_same_org_keeps_its_plan": AnswersOnce,
    "test_an_unreachable_service_is_not_an_answer": FreeWhenDown,
}
