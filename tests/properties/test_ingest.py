"""A set of events makes the same numbers however it arrives: order, batches, repeats, processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import httpx
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import CostEvent, Period
from nullspend_margins.storage.events import StoredEvent
from tests.properties import answers, strategies
from tests.properties.arithmetic import Thresholds
from tests.properties.cells import Ledger, require_right
from tests.properties.model import Org
from tests.properties.product import Product, product, tag_path
from tests.properties.profile import examples
from tests.properties.strategies import Books, DrawnMapping
from tests.storage.rebuilding import check

PROCESSES = (Thresholds(), Thresholds(Fraction(51)), Thresholds(Fraction(52)))
"""Three apps, each with its own connections and its own group commit."""
ORG, OTHER = "org_1", "org_2"
MAPPED = [
    DrawnMapping(provider="stripe", customer_id=f"cus_{number}", tag_value=tag)
    for number, tag in enumerate(strategies.TAGS[:4])
]
TAGS = (*strategies.TAGS[:6], "")


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Product]:
    async with product(database_url, PROCESSES) as made:
        yield made


@dataclass(frozen=True)
class Submission:
    """What one request brings, and to which process."""

    process: int
    source: str
    events: list[CostEvent]


@dataclass(frozen=True)
class Arrival:
    """Events, and one way for them to arrive: waves, each of requests at the same time."""

    month: Period
    events: list[tuple[str, CostEvent]]
    waves: list[list[Submission]]


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    """Every event at least once, in any order; some again, alone or with their whole batch."""
    month = Period.parse(draw(st.sampled_from(strategies.MONTHS)))
    months = st.integers(-3, 0).map(lambda shift: strategies.clamped(month.index + shift))
    # The same ids from several sources are several events.
    keys = st.tuples(st.sampled_from(strategies.SOURCES), st.integers(0, 9))
    events = [
        (source, draw(strategies.event(f"event-{number}", st.sampled_from(TAGS), months)))
        for source, number in draw(st.lists(keys, min_size=1, max_size=16, unique=True))
    ]
    again = draw(st.lists(st.sampled_from(events), max_size=8))
    order = draw(st.permutations([*events, *again]))
    requests = [
        Submission(draw(st.integers(0, len(PROCESSES) - 1)), source, batch)
        for chunk in draw(pieces(order))
        for source, batch in _by_source(chunk)
    ]
    retried = draw(st.lists(st.sampled_from(requests), max_size=3))
    return Arrival(month, events, draw(pieces([*requests, *retried])))


@st.composite
def pieces(draw: st.DrawFn, whole: Sequence[Any]) -> list[list[Any]]:
    """``whole``, cut anywhere."""
    cuts = draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    found: list[list[Any]] = [[]]
    for each, cut in zip(whole, cuts, strict=True):
        found[-1].append(each)
        if cut:
            found.append([])
    return [piece for piece in found if piece]


def _by_source(chunk: Sequence[tuple[str, CostEvent]]) -> list[tuple[str, list[CostEvent]]]:
    sources = sorted({source for source, _ in chunk})
    return [(each, [event for source, event in chunk if source == each]) for each in sources]


@examples(25)
@given(arrival=arrivals())
async def test_however_events_arrive_each_counts_once(here: Product, arrival: Arrival) -> None:
    await here.clear()
    here.clock.moment = arrival.month.start + timedelta(days=3)
    org = await here.load(ORG, Books(mappings=MAPPED))
    told: dict[tuple[str, str], list[StoredEvent]] = {}

    async def submit(one: Submission) -> None:
        services = await here.apps[PROCESSES[one.process]].services()
        stored = await services.ingest.submit(ORG, one.source, one.events)
        for event, answer in zip(one.events, stored, strict=True):
            told.setdefault((one.source, event.event_id), []).append(answer)

    for thresholds in PROCESSES:  # each keeps the table of before any event
        await here.read(f"/api/margins?period={arrival.month}", ORG, thresholds)
    for wave in arrival.waves:
        await asyncio.gather(*map(submit, wave))
    for given_to in told.values():
        assert sum(answer.inserted for answer in given_to) == 1
        assert len({(answer.id, answer.created_at) for answer in given_to}) == 1
    ledger = Ledger()
    for source, event in arrival.events:
        ledger.tell(source, [event])
    await here.database.read(lambda tx: require_right(tx, ORG, ledger))
    assert (await check(here.database, ORG)).wrong == 0
    await read_like(here, Org(mappings=org.mappings, events=arrival.events), arrival)


async def read_like(here: Product, org: Org, arrival: Arrival) -> None:
    """Every app answers as the model of the bare set does, and as for an org that had it plain."""
    await here.load(OTHER, Books(mappings=MAPPED, events=arrival.events))
    paths = [f"/api/margins?period={arrival.month}", tag_path("acme", str(arrival.month))]
    for thresholds in PROCESSES:
        mine = [(await here.read(path, ORG, thresholds)).json()["data"] for path in paths]
        theirs = [(await here.read(path, OTHER, thresholds)).json()["data"] for path in paths]
        assert mine == theirs
        assert mine == [
            answers.table(org, str(arrival.month), thresholds),
            answers.detail(org, "acme", str(arrival.month), thresholds),
        ]
        unmatched = (await here.read("/api/margins/unmatched", ORG, thresholds)).json()["data"]
        assert unmatched == answers.unmatched(org, here.clock.now())


@dataclass(frozen=True)
class Post:
    """A request over HTTP. ``bodies``: more than one is a batch. ``header``: Idempotency-Key."""

    bodies: list[dict[str, Any]]
    batch: bool
    header: str | None
    times: int
    at_once: bool


@st.composite
def posts(draw: st.DrawFn) -> list[Post]:
    """Requests with keys of all kinds; each is sent once or more, one after the other or at once.

    Events with one key are not all alike: then the first of them counts.
    """
    body = st.builds(
        lambda provider, cost, tag, days, key: {
            "provider": provider,
            "model": "gpt-4o",
            "inputTokens": 1,
            "outputTokens": 1,
            "costMicrodollars": cost,
            "customer": tag,
            "occurredAt": f"2026-11-{days:02d}T23:59:59.999999Z",
            **({"idempotencyKey": key} if key else {}),
        },
        st.sampled_from(("openai", "anthropic")),
        st.integers(0, 50),
        st.sampled_from(TAGS[:4]),
        st.integers(1, 19),
        st.sampled_from((None, None, "k1", "k2", "h1")),
    )
    batch = draw(st.lists(st.booleans(), min_size=1, max_size=6))
    return [
        Post(
            bodies=draw(st.lists(body, min_size=1, max_size=4 if is_batch else 1)),
            batch=is_batch,
            header=draw(st.sampled_from((None, "h1", "h2"))),
            times=draw(st.integers(1, 3)),
            at_once=draw(st.booleans()),
        )
        for is_batch in batch
    ]


def keys_of(post: Post) -> list[tuple[object, ...] | None]:
    """The idempotency key of each event, as the specification says; ``None``: it has none.

    By provider and key. Its own key wins; else the header's, in a batch with the index.
    """
    found: list[tuple[object, ...] | None] = []
    for index, body in enumerate(post.bodies):
        own, header = body.get("idempotencyKey"), post.header
        if own:
            found.append((body["provider"], own))
        elif header:
            found.append((body["provider"], header, *([index] if post.batch else [])))
        else:
            found.append(None)
    return found


@examples(15)
@given(sent=posts())
async def test_over_http_a_retry_counts_once_by_its_key(here: Product, sent: list[Post]) -> None:
    await here.clear()
    here.clock.moment = Period.parse("2026-11").start + timedelta(days=19)
    org = await here.load(ORG, Books(mappings=MAPPED))
    services = await here.apps[PROCESSES[0]].services()
    key, _ = await services.keys.create(ORG)
    expected: dict[tuple[object, ...], dict[str, Any]] = {}
    ids: dict[tuple[object, ...], str] = {}
    for number, post in enumerate(sent):
        keys = keys_of(post)
        calls = [deliver(here, key, post, PROCESSES[turn]) for turn in range(post.times)]
        replies = await asyncio.gather(*calls) if post.at_once else [await call for call in calls]
        for turn, answer in enumerate(replies):
            for index, (name, given_id) in enumerate(zip(keys, answer, strict=True)):
                unique = name or ("unkeyed", number, turn, index)
                expected.setdefault(unique, post.bodies[index])
                assert ids.setdefault(unique, given_id) == given_id
    assert len(set(ids.values())) == len(ids)
    ledger = Ledger()
    ledger.tell("api", [_event(n, body) for n, body in enumerate(expected.values())])
    await here.database.read(lambda tx: require_right(tx, ORG, ledger))
    events = [("api", event) for event in ledger.events.values()]
    for thresholds in PROCESSES:
        answer = await here.read("/api/margins?period=2026-11", ORG, thresholds)
        assert answer.json()["data"] == answers.table(
            Org(mappings=org.mappings, events=events), "2026-11", thresholds
        )


async def deliver(here: Product, key: str, post: Post, through: Thresholds) -> list[str]:
    """Send it; the ids that were answered."""
    path = "/api/cost-events/batch" if post.batch else "/api/cost-events"
    body = {"events": post.bodies} if post.batch else post.bodies[0]
    headers = {"X-NullSpend-Key": key, "Content-Type": "application/json"}
    if post.header:
        headers["Idempotency-Key"] = post.header
    client: httpx.AsyncClient = here.clients[through]
    answer = await client.post(path, content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    data = answer.json()["data"] if not post.batch else answer.json()
    return [data["id"]] if not post.batch else list(data["ids"])


def _event(number: int, body: dict[str, Any]) -> CostEvent:
    return CostEvent(
        event_id=f"{number}",
        provider=body["provider"],
        model=body["model"],
        cost_nanodollars=body["costMicrodollars"] * 1_000,
        occurred_at=datetime.fromisoformat(body["occurredAt"]),
        tag_value=body["customer"],
    )
