"""Budgets, rate limits and merged cursors by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import httpx
import pytest

from nullspend_margins import ProviderUnavailable
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.cursors import merged
from nullspend_margins_stripe.failures import Transient, answered_with, not_answered
from nullspend_margins_stripe.patience import Patience, RateLimiter, Timer, persist
from tests.stripe.support import APRIL, FakeTime, fetch, make_provider


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seconds", [0, 1, 20, 100])
async def test_a_budget_ends_whatever_chance_draws(chance: float, seconds: float) -> None:
    time = FakeTime(chance)
    patience = Patience(seconds, time.timer)

    with pytest.raises(ProviderUnavailable):
        for _ in range(2000):
            time.seconds += min(0.1, patience.left)  # an attempt takes time too
            await patience.after(Transient("no"))

    assert time.passed <= seconds + 0.1 + 1e-6
    assert sum(time.sleeps) <= seconds


async def test_without_a_budget_there_is_one_attempt(time: FakeTime) -> None:
    calls: list[float] = []

    async def attempt(seconds: float) -> None:
        calls.append(seconds)
        raise Transient("no")

    with pytest.raises(ProviderUnavailable, match="no"):
        await persist(
            attempt, patience=Patience(0, time.timer), reserve=lambda: 0, timeout_seconds=8
        )
    assert calls == [8]


async def test_an_attempt_that_never_answers_is_ended(time: FakeTime) -> None:
    async def attempt(_: float) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ProviderUnavailable, match="no answer came within"):
        await persist(
            attempt, patience=Patience(0, time.timer), reserve=lambda: 0, timeout_seconds=0.01
        )


async def test_a_place_in_the_queue_beyond_the_budget_gives_up(time: FakeTime) -> None:
    async def attempt(_: float) -> None:
        raise Transient("no")

    waits = iter([0.0, 30.0])
    with pytest.raises(ProviderUnavailable):
        await persist(
            attempt,
            patience=Patience(20, time.timer),
            reserve=lambda: next(waits),
            timeout_seconds=8,
        )
    assert time.passed < 20


@pytest.mark.parametrize("wait", [17.9, 18.999, 19.0, 19.999999, 20.0, 30.0])
async def test_a_rate_limit_pause_never_leaves_an_attempt_too_little(
    time: FakeTime, wait: float
) -> None:
    allowed: list[float] = []

    async def attempt(seconds: float) -> None:
        allowed.append(seconds)
        if len(allowed) > 1:
            time.seconds += seconds
            raise Transient("no answer came in time")
        raise Transient("it answered HTTP 503")

    time.timer = Timer(now=time.timer.now, sleep=time.sleep, chance=lambda: 0.0)
    waits = iter([0.0, wait, 100.0])
    with pytest.raises(ProviderUnavailable) as caught:
        await persist(
            attempt,
            patience=Patience(20, time.timer),
            reserve=lambda: next(waits),
            timeout_seconds=8,
        )

    assert all(seconds > 1 for seconds in allowed)
    if wait >= 19:
        assert len(allowed) == 1
        assert "within 20 s: it answered HTTP 503. " in caught.value.message


async def test_a_sleep_that_lasts_too_long_leaves_the_real_reason(time: FakeTime) -> None:
    async def attempt(_: float) -> None:
        raise Transient("it answered HTTP 503")

    async def oversleep(seconds: float) -> None:
        time.seconds += seconds + 30

    calls: list[float] = []
    timer = Timer(now=time.timer.now, sleep=oversleep, chance=lambda: 0.0)
    with pytest.raises(ProviderUnavailable, match=r"it answered HTTP 503\."):
        await persist(
            attempt,
            patience=Patience(20, timer),
            reserve=lambda: calls.append(0) or 0.1,  # type: ignore[func-returns-value]
            timeout_seconds=8,
        )
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("left", "told"), [(7.0, "it answered HTTP 429"), (9.0, "no answer came within 8 s")]
)
async def test_a_hurried_attempt_without_an_answer_leaves_the_real_reason(
    time: FakeTime, left: float, told: str
) -> None:
    allowed: list[float] = []

    async def attempt(seconds: float) -> None:
        allowed.append(seconds)
        if len(allowed) == 1:
            raise Transient("it answered HTTP 429", rate_limited=True)
        time.seconds += left
        raise not_answered(seconds)

    waits = iter([0.0, 20 - left, 100.0])
    time.timer = Timer(now=time.timer.now, sleep=time.sleep, chance=lambda: 0.0)
    with pytest.raises(ProviderUnavailable, match=told):
        await persist(
            attempt,
            patience=Patience(20, time.timer),
            reserve=lambda: next(waits),
            timeout_seconds=8,
        )
    assert allowed == [8, min(8, left)]


@pytest.mark.parametrize("asked", [18.9, 18.99999, 19.0, 19.5])
async def test_a_wait_that_stripe_asks_for_leaves_time_for_an_answer(
    time: FakeTime, asked: float
) -> None:
    allowed: list[float] = []

    async def attempt(seconds: float) -> None:
        allowed.append(seconds)
        raise Transient("it answered HTTP 429", retry_after=asked)

    with pytest.raises(ProviderUnavailable, match=r"HTTP 429 and asks to wait (19|20) s\."):
        await persist(
            attempt, patience=Patience(20, time.timer), reserve=lambda: 0, timeout_seconds=8
        )

    assert len(allowed) == (2 if asked < 19 else 1)
    assert all(seconds > 1 for seconds in allowed)


@pytest.mark.parametrize(("status", "limited"), [(429, True), (409, False), (503, False)])
async def test_too_many_requests_are_told_from_an_outage(
    time: FakeTime, status: int, *, limited: bool
) -> None:
    async def attempt(_: float) -> None:
        raise answered_with(status)

    with pytest.raises(ProviderUnavailable) as caught:
        await persist(
            attempt, patience=Patience(20, time.timer), reserve=lambda: 0, timeout_seconds=8
        )
    assert caught.value.rate_limited is limited


def test_a_keys_requests_are_evenly_spaced(time: FakeTime) -> None:
    limiter = RateLimiter(20, time.timer)

    assert [limiter.reserve("a") for _ in range(4)] == pytest.approx([0, 0.05, 0.1, 0.15])
    assert limiter.reserve("b") == 0
    time.seconds += 1
    assert limiter.reserve("a") == 0


def test_without_a_limit_nothing_waits(time: FakeTime) -> None:
    limiter = RateLimiter(0, time.timer)

    assert [limiter.reserve("a") for _ in range(3)] == [0, 0, 0]


def test_keys_that_are_not_in_use_are_forgotten(time: FakeTime) -> None:
    limiter = RateLimiter(20, time.timer)
    for number in range(5000):
        limiter.reserve(str(number))
        time.seconds += 0.1

    assert len(limiter._next) <= 1024


async def test_a_sync_keeps_to_the_rate_limit(
    server: StripeServer, account: StripeAccount, server_http: httpx.AsyncClient, time: FakeTime
) -> None:
    account.add_customer("cus_1")
    for number in range(40):
        account.add_invoice("cus_1", 1, created=int(APRIL.first.start.timestamp()) + number)
    provider = make_provider(
        lambda: server_http, time, requests_per_second=10, page_size=1, late_months=0
    )

    await fetch(provider, APRIL)

    paid = [seen for seen in server.requests if seen.param("status") == "paid"]
    assert len(paid) == 40
    assert time.passed == pytest.approx((server.request_count - 1) / 10)


async def numbers(first: int, count: int) -> AsyncGenerator[int, None]:
    for number in range(first, first + count):
        await asyncio.sleep(0)
        yield number


@pytest.mark.parametrize("concurrency", [1, 3, 9])
async def test_merged_cursors_yield_everything(concurrency: int) -> None:
    cursors = [partial(numbers, first, 10) for first in (0, 10, 20, 30)]

    found = [number async for number in merged(cursors, concurrency=concurrency)]

    assert sorted(found) == list(range(40))


async def test_nothing_merged_is_nothing() -> None:
    cursors: list[partial[AsyncGenerator[int, None]]] = []

    assert [page async for page in merged(cursors, concurrency=4)] == []


async def test_the_first_failure_of_a_cursor_is_raised() -> None:
    async def failing(first: int, count: int) -> AsyncGenerator[int, None]:
        yield first
        raise ProviderUnavailable(f"down after {count}")

    with pytest.raises(ProviderUnavailable, match="down"):
        cursors = [partial(numbers, 0, 1000), partial(failing, 0, 1)]
        async for _ in merged(cursors, concurrency=2):
            pass
