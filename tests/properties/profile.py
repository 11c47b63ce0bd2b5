"""How long the properties look: the same examples every time, or many new ones by hand.

``PROPERTY_EXAMPLES=5000 pytest -n0 tests/properties/test_rounding.py`` looks at 5,000 random
examples of each property (a machine of syncs: that many runs).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_WANTED = os.environ.get("PROPERTY_EXAMPLES")


def examples(count: int, **more: object) -> settings:
    """``count`` examples, always the same ones, unless the environment asks for others."""
    return settings(
        max_examples=int(_WANTED) if _WANTED else count,
        derandomize=_WANTED is None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        print_blob=_WANTED is not None,
        # A test has one database; it is emptied between its examples.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
        **more,
    )
