"""For every rule a plugin that breaks it, and no other one where that can be.

``BROKEN`` has, for the suite of a plugin that keeps every rule, each rule and the suite over the
plugin that breaks it. ``ALSO`` names the rules that cannot but fail with it.
"""

from __future__ import annotations

from tests.testing.broken.aggregating import AGGREGATING, WarehouseRules
from tests.testing.broken.authenticators import AUTHENTICATORS, KeysRules
from tests.testing.broken.common import common
from tests.testing.broken.notifiers import NOTIFIERS, HookRules
from tests.testing.broken.plan_checkers import PLAN_CHECKERS, PlansRules
from tests.testing.broken.providers import CREDENTIALS, BillingRules
from tests.testing.broken.pulled import PULLED, ExportRules
from tests.testing.broken.readings import READINGS
from tests.testing.support import variant

_KINDS: tuple[tuple[type, str, dict[str, type]], ...] = (
    (KeysRules, "authenticate", AUTHENTICATORS),
    (PlansRules, "plan", PLAN_CHECKERS),
    (ExportRules, "pull", PULLED),
    (WarehouseRules, "model_costs", AGGREGATING),
    (BillingRules, "fetch_revenue", CREDENTIALS | READINGS),
    (HookRules, "notify", NOTIFIERS),
)
SUITES = tuple(suite for suite, _, _ in _KINDS)
BROKEN: dict[type, dict[str, type]] = {
    suite: common(suite, method) | {rule: variant(suite, plugin) for rule, plugin in own.items()}
    for suite, method, own in _KINDS
}

ALSO: dict[tuple[type, str], set[str]] = {
    # A notifier that fails while it is busy delivers less, of course.
    (HookRules, "test_calls_at_the_same_time_get_their_own_answers"): {
        "test_alerts_at_the_same_time_all_arrive"
    },
}
