"""What authenticators and plan checkers may answer."""

from __future__ import annotations

from typing import Any

import pytest

from nullspend_margins.config import config_from_mapping
from nullspend_margins.plugins import Registry
from nullspend_margins.services.access import AccessService
from nullspend_margins.testing import http_scope


class Answers:
    """An authenticator and a plan checker that answer as they are told."""

    name = "acme"

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def authenticate(self, scope: Any) -> Any:
        return self._answer

    async def plan(self, org_id: str) -> Any:
        return self._answer


def service(answer: object) -> AccessService:
    registry = Registry(authenticators=(Answers(answer),), plan_checkers=(Answers(answer),))
    return AccessService(registry, config_from_mapping({}, keep_secrets=False))


@pytest.mark.parametrize("answer", ["PRO", "", 1, ["pro"], {"plan": "pro"}])
async def test_a_plan_of_no_known_name_is_told_with_its_checker(answer: object) -> None:
    with pytest.raises(TypeError, match=r"^plan checker 'acme' returned .*not one of free, pro, "):
        await service(answer).plan("org_1")


async def test_whoever_is_no_principal_is_told_with_its_authenticator() -> None:
    with pytest.raises(TypeError, match=r"^authenticator 'acme' returned dict, not a Principal"):
        await service({"org_id": "org_1"}).authenticate(http_scope())
