"""The parts that suites are made of."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import httpx
import pytest

from nullspend_margins import RevenueFact, ServiceUnavailable, ValidationFailed
from nullspend_margins.testing import HOSTILE_NAMES, FakeService, FixedClock, http_scope
from nullspend_margins.testing.outcomes import tells
from nullspend_margins.testing.units import unit_guess

SECRET = "hush /now"


def answers(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=request.url.path)


async def test_a_fake_service_answers_by_http_and_outbound() -> None:
    service = FakeService(answers)
    context = service.context("acme", {"url": "x"})
    assert context.table == {"url": "x"}
    assert (await context.http.get("https://a.example/one")).text == "/one"
    answer = await context.outbound.post("https://a.example/two", content=b"{}")
    assert (answer.host, answer.body, answer.is_success) == ("a.example", b"/two", True)
    assert [request.url.path for request in service.requests] == ["/one", "/two"]


async def test_an_unreachable_service_cannot_be_connected_to() -> None:
    context = FakeService(answers).unreachable().context("acme")
    with pytest.raises(httpx.ConnectError):
        await context.http.get("https://a.example")
    with pytest.raises(ServiceUnavailable, match=r"^a\.example does not answer\.$"):
        await context.outbound.post("https://a.example/secret", content=b"")


async def test_a_failing_service_answers_so_many_requests() -> None:
    http = FakeService(answers).failing_after(1).client()
    assert (await http.get("https://a.example")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        await http.get("https://a.example")


async def test_a_stalled_service_never_answers() -> None:
    service = FakeService(answers).stalled()
    call = asyncio.create_task(service.client().get("https://a.example"))
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(service.requests) == 1
    assert not call.done()
    call.cancel()
    await asyncio.wait((call,))
    assert call.cancelled()


def test_each_event_loop_has_a_client_of_its_own() -> None:
    service = FakeService(answers)

    async def client() -> httpx.AsyncClient:
        assert service.client() is service.client()
        return service.client()

    assert asyncio.run(client()) is not asyncio.run(client())


def error(kind: str) -> Exception:
    """An error with the secret somewhere."""
    if kind == "note":
        plain = ValueError("no")
        plain.add_note(SECRET)
        return plain
    if kind == "details":
        return ValidationFailed("no", details={"given": SECRET})
    if kind == "group":
        return ExceptionGroup("no", [ValueError(SECRET)])
    if kind == "url":
        return ValueError(f"https://a.example/?token={quote(SECRET, safe='')}")
    found = LookupError("no")
    if kind == "cause":
        found.__cause__ = ValueError(SECRET)
    else:
        found.__context__ = ValueError(SECRET)
    return found


@pytest.mark.parametrize("kind", ["note", "details", "group", "url", "cause", "context"])
def test_a_secret_is_found_wherever_an_error_shows_it(kind: str) -> None:
    assert tells(error(kind), SECRET)


def test_what_an_error_does_not_show_is_not_told() -> None:
    hidden = error("context")
    hidden.__suppress_context__ = True
    assert not tells(hidden, SECRET)


@pytest.mark.parametrize(
    ("found", "expected", "guess"),
    [
        (100, 10_000, "it is 100 times too little"),
        (5_000, 5, "it is 1,000 times too much"),
        (20, 10, None),
        (101, 1, None),
        (0, 10, None),
        (-5_000, 5, "it is 1,000 times too much"),
    ],
)
def test_a_power_of_ten_is_another_unit(found: int, expected: int, guess: str | None) -> None:
    assert unit_guess(found, expected) == guess


def test_hostile_names_are_names_that_a_provider_may_have() -> None:
    for name in HOSTILE_NAMES:
        fact = RevenueFact(
            object_id="in_1",
            customer_id="cus_1",
            customer_name=name,
            amount_minor=1,
            currency="usd",
            occurred_at=FixedClock().now(),
        )
        assert fact.customer_name == name


def test_a_scope_has_its_headers_as_asgi_has_them() -> None:
    scope = http_scope({"X-Org": "o"}, bearer="t", cookies={"a": "1", "b": "2"}, session={})
    headers = dict(scope["headers"])
    assert headers[b"authorization"] == b"Bearer t"
    assert headers[b"cookie"] == b"a=1; b=2"
    assert headers[b"x-org"] == b"o"
    assert scope["session"] == {}


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(hours=2)
    assert (clock.now() - before).total_seconds() == 7200
