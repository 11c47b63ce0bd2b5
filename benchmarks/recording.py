"""What a recorded event costs the call that it is recorded in."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import Measure, Say, Scale, at_most
from nullspend_margins import CostEvent
from nullspend_margins.recording import EVENT, Bounds, Recorder, encode_event

_MICROSECONDS = 1e6
_ORG = "org_1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Events in a repetition, and repetitions."""

    events: int = 20_000
    rounds: int = 31


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(rounds=7),
    Scale.SMOKE: Size(events=10, rounds=1),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    return f"{size.rounds} times {size.events:,} events, in CPU time of the thread that records."


def run(scale: Scale, say: Say) -> list[Measure]:
    """A line appended, the bare write of the same line, and the encoding before it."""
    say("one event")
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(_microseconds(Path(folder), SIZES[scale]))
    return [
        Measure("append to the recorder", "µs", taken["append"], at_most(4)),
        Measure("of that, the bare os.write of the line", "µs", taken["write"], None),
        Measure("before that, a CostEvent to JSON", "µs", taken["encode"], None),
    ]


async def _microseconds(folder: Path, size: Size) -> dict[str, list[float]]:
    """Each by itself. The flusher is there, and has its turn between the repetitions."""
    event = CostEvent(
        event_id="call-0123456789abcdef",
        provider="openai",
        model="gpt-4o",
        cost_nanodollars=5_250_000,
        occurred_at=datetime(2026, 11, 20, tzinfo=UTC),
        tag_value="acme-corp",
        input_tokens=1200,
        output_tokens=350,
    )
    body = encode_event(_ORG, "host", event)
    recorder = Recorder(
        Bounds(folder=folder / "journal", queue_events=2 * size.events, max_bytes=10**9), _accept
    )
    recorder.append(EVENT, body)  # which opens the journal
    handle = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    line = b"event " + body + b"\n"
    found: dict[str, list[float]] = {"append": [], "write": [], "encode": []}
    for _ in range(size.rounds):
        found["append"].append(_each(lambda: recorder.append(EVENT, body), size.events))
        found["write"].append(_each(lambda: os.write(handle, line), size.events))
        found["encode"].append(_each(lambda: encode_event(_ORG, "host", event), size.events))
        while recorder.counters.queued:  # noqa: ASYNC110 - as a host would, too
            await asyncio.sleep(0.01)
    os.close(handle)
    await recorder.close()
    counters = recorder.counters
    if (counters.written, counters.spilled) != (1 + size.rounds * size.events, 0):
        raise RuntimeError(f"not every event was stored: {counters}")
    return found


def _each(work: Callable[[], object], times: int) -> float:
    started = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - started) / times * _MICROSECONDS


async def _accept(_org_id: str, _source: str, _events: Sequence[CostEvent]) -> None:
    """A database that takes everything at once."""
