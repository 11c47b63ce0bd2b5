"""How much of a month is in its table, and what is said of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.dashboard.bases import BASIS_WORDS, bases_offered
from nullspend_margins.dashboard.completeness import completeness_of, share
from nullspend_margins.dashboard.month_state import month_state
from nullspend_margins.domain.coverage import (
    CostCoverage,
    Coverage,
    ProviderCoverage,
    RevenueCoverage,
    SkippedRevenue,
    SourceCoverage,
)
from nullspend_margins.domain.delivery import SourceKind, SourceState
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import BASES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = Period.parse("2026-11")


def source(
    *, kind: SourceKind = "pushed", delivered: bool = True, stale: bool = False, error: str = ""
) -> SourceCoverage:
    state = SourceState(
        name="api",
        kind=kind,
        delivered_at=NOW if delivered else None,
        newest_at=None,
        newest_day=20_000 if delivered else None,
        last_error=error or None,
    )
    return SourceCoverage(state=state, lag=timedelta(), is_stale=stale)


def provider(status: str) -> ProviderCoverage:
    return ProviderCoverage(provider="stripe", status=status, last_sync_at=NOW, lag=None, gaps=None)


def coverage(
    cost: tuple[int, int, int] = (0, 0, 0),
    revenue: tuple[RevenueCoverage, ...] = (),
    sources: tuple[SourceCoverage, ...] = (),
    providers: tuple[ProviderCoverage, ...] = (),
    mapped_tags: int = 0,
) -> Coverage:
    return Coverage(
        basis="invoiced",
        cost=CostCoverage(*cost),
        revenue=revenue,
        sources=sources,
        providers=providers,
        mapped_tags=mapped_tags,
    )


def paid(mapped: int, unmatched: int, *skipped: tuple[str, int, int]) -> RevenueCoverage:
    left_out = [SkippedRevenue("stripe", *each, nobodys_minor=each[2]) for each in skipped]
    return RevenueCoverage(provider="stripe", mapped=mapped, unmatched=unmatched, skipped=left_out)


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((0, 0), None),
        ((5, 0), 100_00),
        ((0, 5), 0),
        ((1, 1), 50_00),
        ((9_999, 1), 99_90),
        ((1, 10**9), 10),
        ((80, -20), 80_00),
        ((-5, 0), 100_00),
    ],
)
def test_a_share_is_whole_or_nothing_only_where_it_is(
    parts: tuple[int, int], shown: int | None
) -> None:
    assert share(*parts) == shown


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=4))
def test_a_share_is_between_nothing_and_all(parts: list[int]) -> None:
    shown = share(*parts)
    if shown is not None:
        assert 0 <= shown <= 100_00
        assert (shown == 100_00) == (not any(parts[1:]))
        assert (shown == 0) == (parts[0] == 0)


def test_amounts_of_all_providers_are_together() -> None:
    found = completeness_of(
        coverage(
            cost=(70, 20, 10),
            revenue=(paid(60, 20, ("eur", 2, 500), ("usd", 1, 300)), paid(20, 0, ("eur", 1, 100))),
        )
    )
    assert found.cost == 70_00
    assert (found.cost_elsewhere, found.revenue_elsewhere) == (30, 20 + 3_000_000)
    [euros] = found.foreign
    assert (euros.currency, euros.invoices, euros.amount_minor) == ("eur", 3, 600)
    assert found.nameless is not None
    assert (found.nameless.invoices, found.nameless.amount_minor) == (1, 300)


def test_what_is_done_of_the_setup_is_known() -> None:
    nothing = completeness_of(coverage())
    assert (nothing.is_connected, nothing.has_costs, nothing.has_mappings) == (False,) * 3
    assert not nothing.is_set_up
    never = completeness_of(coverage(sources=(source(delivered=False),)))
    assert not never.has_costs
    asked_elsewhere = source(kind="aggregating", delivered=False)
    assert completeness_of(coverage(sources=(asked_elsewhere,))).has_costs
    done = completeness_of(
        coverage(sources=(source(),), providers=(provider("active"),), mapped_tags=1)
    )
    assert done.is_set_up


def test_troubles_are_told_once() -> None:
    found = completeness_of(
        coverage(
            sources=(source(stale=True, error="timed out"), source(error="refused"), source()),
            providers=(provider("active"), provider("revoked"), provider("error")),
        )
    )
    assert [each.state.last_error for each in found.silent] == ["timed out"]
    assert [each.state.last_error for each in found.failing] == ["refused"]
    assert [each.status for each in found.troubled] == ["revoked", "error"]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-10-31T23:59:59+00:00", "not begun yet"),
        ("2026-11-01T00:00:00+00:00", "so far, 30 days left"),
        ("2026-11-01T00:00:01+00:00", "so far, 30 days left"),
        ("2026-11-28T07:45:00+00:00", "so far, 3 days left"),
        ("2026-11-29T23:59:59+00:00", "so far, 2 days left"),
        ("2026-11-30T00:00:00+00:00", "so far, last day"),
        ("2026-11-30T23:59:59+00:00", "so far, last day"),
        ("2026-12-01T00:00:00+00:00", None),
    ],
)
def test_a_month_that_runs_says_how_long(now: str, words: str | None) -> None:
    assert month_state(NOVEMBER, datetime.fromisoformat(now)) == words


def test_there_is_a_choice_of_bases_only_where_there_is_one() -> None:
    assert bases_offered((), "invoiced", "invoiced") == ()
    assert bases_offered(("invoiced",), "invoiced", "invoiced") == ()
    assert bases_offered(("cash", "invoiced"), "invoiced", "invoiced") == ["invoiced", "cash"]
    assert bases_offered((), "net", "net") == ["net"]
    assert bases_offered((), "invoiced", "accrual") == ["invoiced", "accrual"]
    assert BASIS_WORDS.keys() == set(BASES)
