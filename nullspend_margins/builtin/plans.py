"""The default plan checker: a table in the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from nullspend_margins.domain.access import Plan


class TomlPlanChecker:
    """Answers for every org, so it must be asked last: those not in ``[plans.orgs]`` are free."""

    name = "plans"

    def __init__(self, orgs: Mapping[str, str]) -> None:
        self._orgs = orgs

    async def plan(self, org_id: str) -> str:
        """``free``, ``pro`` or ``enterprise``; never ``None``."""
        return self._orgs.get(org_id, Plan.FREE.wire_name)
