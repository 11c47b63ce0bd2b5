"""The margin table over HTTP against the plain GROUP BY over raw events, in one run.

    python benchmarks/margin_table.py                       # SQLite and PostgreSQL
    python benchmarks/margin_table.py --engine sqlite --events 2000000

5,000 mapped customers and three months. The org has ``--events`` events, other orgs as many
together. Both are asked on the same database, one after the other, many times; medians count.

*Baseline*: ``SELECT customer, month, SUM(cost) ... GROUP BY customer, month`` for the org and
the three months, over the same raw events, with an index on (org, time), by the bare driver.

*Table*: ``GET /api/margins`` over loopback to the product served by uvicorn, everything included:
session, plan, one snapshot, 5,000 rows, JSON. Told twice: *unchanged*, where nothing was written
since the last read, and *changed*, where a cost event came in before each read, so that all of
it is read and computed again.

The figures are ratios within the run: how many times faster the table is than the baseline
(goal: 50), and how many times slower it gets when the events grow tenfold and the customers
don't (goal: at most 1.25).
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.seed import CUSTOMERS, MONTHS, ORG, PERIOD, seed
from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving, url_of
from nullspend_margins.builtin.sessions import sign_session
from tests.postgres import running_postgres

ROUNDS = 15
BASELINE_ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--events", type=int, default=2_000_000, help="events of the org")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, url in databases(options.engine, Path(folder)):
            small = measure(name, url(0), options.events // 10)
            large = measure(name, url(1), options.events)
            for state in ("unchanged", "changed"):
                print(
                    f"{name}, {state}: {large['baseline'] / large[state]:.0f} times faster than "
                    f"GROUP BY at {options.events:,} events; "
                    f"{large[state] / small[state]:.2f} times slower than at "
                    f"{options.events // 10:,}"
                )


def databases(engine: str, folder: Path) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Each engine with what makes an empty database on it."""
    if engine in ("sqlite", "both"):
        yield "SQLite", lambda number: f"sqlite:///{folder}/bench{number}.db"
    if engine in ("postgresql", "both"):
        with running_postgres() as server:

            def create(number: int) -> str:
                server.execute(f"CREATE DATABASE bench{number}")
                return server.url(f"bench{number}")

            yield "PostgreSQL", create


def measure(name: str, url: str, events: int) -> dict[str, float]:
    """Median seconds of the table and of the baseline."""
    started = time.perf_counter()
    baseline = seed(url, events)
    print(f"{name}: {events:,} + {events:,} events in {time.perf_counter() - started:.0f} s")
    with served(url) as (address, cookie, key):
        unchanged = [request(address, cookie) for _ in range(ROUNDS + 2)][2:]
        changed = []
        for _ in range(ROUNDS):
            post_event(address, key)
            changed.append(request(address, cookie))
    rows, slow = baseline(BASELINE_ROUNDS)
    assert rows == CUSTOMERS * MONTHS, rows
    result = {
        "unchanged": statistics.median(unchanged),
        "changed": statistics.median(changed),
        "baseline": statistics.median(slow),
    }
    print("  " + ", ".join(f"{name} {value * 1000:.1f} ms" for name, value in result.items()))
    return result


def post_event(address: str, key: str) -> None:
    event = {
        "provider": "openai", "model": "gpt-4o", "inputTokens": 1, "outputTokens": 1,
        "costMicrodollars": 1, "customer": "customer-1", "occurredAt": f"{PERIOD}-15T00:00:00Z",
    }  # fmt: skip
    headers = {"X-NullSpend-Key": key, "Content-Type": "application/json"}
    status, body, _ = call(address, "POST", "/api/cost-events", headers, json.dumps(event))
    assert status == 201, body


def request(address: str, cookie: str) -> float:
    path = f"/api/margins?period={PERIOD}"
    status, body, elapsed = call(address, "GET", path, {"Cookie": cookie})
    assert status == 200, body[:500]
    assert len(json.loads(body)["data"]["customers"]) == CUSTOMERS
    return elapsed


def call(
    address: str, method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, bytes, float]:
    host, port = address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    started = time.perf_counter()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    elapsed = time.perf_counter() - started
    connection.close()
    return answer.status, content, elapsed


@contextmanager
def served(url: str) -> Iterator[tuple[str, str, str]]:
    """The product on uvicorn in a thread of its own."""
    margins = Margins(
        {
            "database": {"url": url},
            "session": {"secret_keys": ["benchmark-session-key-0123456789abcdef"]},
            "encryption": {"keys": ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]},
            "cron": {"secret": "benchmark-cron-secret"},
            "plans": {"orgs": {ORG: "pro"}},
        }
    )
    listener = listen("127.0.0.1", 0)
    ready, stop = threading.Event(), threading.Event()
    keys: list[str] = []

    async def serve() -> None:
        async with margins.lifespan(), serving(margins.app, listener):
            keys.append((await (await margins.services()).keys.create(ORG))[0])
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    value = sign_session(margins.config, org_id=ORG, user_id="bench", role="viewer")
    try:
        yield url_of(listener), f"{margins.config.session.cookie_name}={value}", keys[0]
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
