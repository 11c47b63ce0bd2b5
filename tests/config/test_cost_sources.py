"""How long cost sources may be silent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from nullspend_margins import ConfigurationError
from nullspend_margins.config import config_from_mapping

HOURS = timedelta(hours=1)


def settings(**costs: Any) -> Any:
    return config_from_mapping({"costs": costs}, keep_secrets=False).costs


def test_without_a_word_what_is_pulled_has_a_day_and_what_pushes_all_time() -> None:
    costs = settings()
    assert costs.stale_after("gateway", "pulled") == 24 * HOURS
    assert costs.stale_after("api", "pushed") is None
    assert costs.shortest == 24 * HOURS


def test_one_number_is_for_every_source_and_nought_for_none() -> None:
    costs = settings(stale_after_hours=48)
    assert [costs.stale_after("x", kind) for kind in ("pulled", "pushed")] == [48 * HOURS] * 2
    off = settings(stale_after_hours=0)
    assert [off.stale_after("x", kind) for kind in ("pulled", "pushed")] == [None] * 2
    assert off.shortest is None


def test_a_source_s_own_number_goes_before() -> None:
    own = {"api": {"stale_after_hours": 6}, "import": {"stale_after_hours": 0}}
    costs = settings(stale_after_hours=48, sources=own)
    found = [costs.stale_after(name, "pushed") for name in ("api", "import", "host")]
    assert found == [6 * HOURS, None, 48 * HOURS]
    assert costs.shortest == 6 * HOURS


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"stale_after_hours": -1}, "costs.stale_after_hours"),
        ({"stale_after_hours": "6"}, "costs.stale_after_hours"),
        ({"sources": {"api": {}}}, "costs.sources.api.stale_after_hours"),
        ({"sources": {"api": {"stale_hours": 3}}}, "costs.sources.api.stale_hours"),
        ({"sources": {"api": 3}}, "costs.sources.api"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(table: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError, match=key):
        settings(**table)
