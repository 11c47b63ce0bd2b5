"""The rules of a plan checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from nullspend_margins.domain.access import PLANS
from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.protocols import PlanChecker
from nullspend_margins.testing.outcomes import described, is_same, outcome, require_error
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.suite import PluginSuite, Question

_UNKNOWN = "org-that-nobody-has-0f1e2d3c"
_ODD = (
    "日本語-\U0001f680",
    "x" * 256,
    "a b",
    "a/b?c=d#e",
    "../..",
    ".",
    "%2F%00",
    "' OR '1'='1",
    "{0}%s",
    "0",
    "None",
)
_LOOKALIKES = (
    "{} ",
    " {}",
    "{}/",
    "./{}",
    "x/../{}",
    "{}?a=b",
    "{}#a",
    "{}%00",
    "{}\u200b",
    "{},x",
)
_TIMES = 5


class PlanCheckerSuite(PluginSuite[PlanChecker]):
    """State ``plans``: some orgs of the sample and what they pay for."""

    plans: Mapping[str, str]
    """Org id to ``free``, ``pro`` or ``enterprise``, as the sample has it."""

    _kind = "plan checker"
    _facts = MappingProxyType({"plans": 'orgs of the sample, for example {"org_1": "pro"}'})

    def _questions(self) -> Sequence[Question[PlanChecker]]:
        orgs = (*self.plans, _UNKNOWN)
        return [Question(f"plan({org_id!r})", partial(_plan, org_id)) for org_id in orgs]

    @rule
    async def test_a_known_org_has_its_plan(self) -> None:
        """Each org of `plans` has the plan stated there.

        Why: the plan opens the product to the org, or keeps it out.
        To do: map what your billing calls its plans to free, pro and enterprise.
        """
        plugin = self._made()
        for org_id, expected in self.plans.items():
            found = await outcome(plugin.plan(org_id))
            if found != expected:
                cause = found if isinstance(found, Exception) else None
                raise RuleBroken(
                    f"plan({org_id!r}): {described(found)}, not {expected!r}",
                    guess="is the `await` missing that fetches it?" if found is None else None,
                ) from cause

    @rule
    async def test_an_answer_is_a_plan_or_none(self) -> None:
        """The answer for an org it does not know is `free`, `pro`, `enterprise` or `None`.

        Why: any other answer is an HTTP 500 for everybody of that org.
        To do: return `None` for an org you don't know: the next plan checker is asked.
        """
        found = await outcome(self._made().plan(_UNKNOWN))
        if found is not None and not (type(found) is str and found in PLANS):
            cause = found if isinstance(found, Exception) else None
            raise RuleBroken(f"plan({_UNKNOWN!r}): {described(found)}") from cause

    @rule
    async def test_any_org_id_has_an_answer(self) -> None:
        """Org ids of any characters, of 1 to 256 of them, raise nothing.

        Why: org ids come from authenticators, and hosts choose them as they like.
        To do: quote the id where it goes into a URL (`params=`, `urllib.parse.quote`) or SQL
        (a parameter), and answer `None` for what cannot be one of yours.
        """
        plugin = self._made()
        for org_id in _ODD:
            found = await outcome(plugin.plan(org_id))
            if isinstance(found, Exception):
                raise RuleBroken(f"plan({org_id[:40]!r}): {described(found)}") from found

    @rule
    async def test_an_org_id_is_compared_whole(self) -> None:
        """An id that merely resembles a known one gets the answer of an unknown org.

        Why: else one org uses the plan that another one pays for.
        To do: don't strip or shorten ids; in a URL give them as `params=`, since `.`, `/`, `?`
        and `#` in a path change which address is asked.
        """
        plugin = self._made()
        unknown = await outcome(plugin.plan(_UNKNOWN))
        for org_id in self.plans:
            for lookalike in (each.format(org_id) for each in _LOOKALIKES):
                found = await outcome(plugin.plan(lookalike))
                if lookalike not in self.plans and not is_same(found, unknown):
                    raise RuleBroken(
                        f"plan({lookalike!r}) is {described(found)}, as of {org_id!r}; "
                        f"an unknown org has {described(unknown)}"
                    )

    @rule
    async def test_the_same_org_keeps_its_plan(self) -> None:
        """Asked again, the same org has the same plan.

        Why: it is asked at every request; a page would open and close at random.
        To do: look at what the first call keeps on `self` or takes away.
        """
        plugin = self._made()
        for org_id in (*self.plans, _UNKNOWN):
            first = await outcome(plugin.plan(org_id))
            for _ in range(_TIMES):
                again = await outcome(plugin.plan(org_id))
                if not is_same(first, again):
                    raise RuleBroken(
                        f"plan({org_id!r}): {described(first)}, then {described(again)}"
                    )

    @rule
    async def test_an_unreachable_service_is_not_an_answer(self) -> None:
        """A checker that cannot find out raises `ServiceUnavailable`. Needs `make_unreachable`.

        Why: `None` would put a paying org on the free plan for as long as the outage lasts.
        To do: catch what your client raises (`httpx.HTTPError`) and bad statuses, and raise
        `ServiceUnavailable` with a message for the person.
        """
        for org_id in self.plans:
            found = await outcome(self.make_unreachable().plan(org_id))
            require_error(f"plan({org_id!r}), unreachable", found, ServiceUnavailable)


async def _plan(org_id: str, plugin: PlanChecker) -> object:
    return await plugin.plan(org_id)
