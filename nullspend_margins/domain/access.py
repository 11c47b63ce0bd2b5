"""Who may do what: roles of people, plans of orgs."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """What a person may do in an org; each includes those before it."""

    VIEWER = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3

    @property
    def wire_name(self) -> str:
        """``viewer``, ``member``, ``admin`` or ``owner``."""
        return self.name.lower()


class Plan(IntEnum):
    """What an org pays for; each includes those before it. Not a customer's health tier."""

    FREE = 0
    PRO = 1
    ENTERPRISE = 2

    @property
    def wire_name(self) -> str:
        """``free``, ``pro`` or ``enterprise``."""
        return self.name.lower()


ROLES = {role.wire_name: role for role in Role}
PLANS = {plan.wire_name: plan for plan in Plan}
