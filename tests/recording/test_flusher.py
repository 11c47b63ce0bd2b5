"""From the queue into the database: batches, outages, bad events, and the end."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from nullspend_margins.recording import EVENT
from nullspend_margins.recording.flusher import Pace
from tests.recording.fakes import AT_ONCE, Computer, body, kill, record


async def test_lines_that_come_together_are_submitted_together(computer: Computer) -> None:
    recorder = computer.recorder()
    record(recorder, *range(1200))
    await computer.database.holds(1200)
    await recorder.close()
    assert computer.database.numbers == list(range(1200))
    assert max(map(len, computer.database.submissions)) == 500
    assert len(computer.database.submissions) == 3


async def test_after_an_outage_everything_is_stored_once(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    computer.database.is_away = True
    recorder = computer.recorder()
    record(recorder, 1, 2, 3)
    await computer.database.asked(5)
    record(recorder, 4)
    assert recorder.counters.written == 0
    assert recorder.counters.queued == 4
    computer.database.is_away = False
    await computer.database.holds(4)
    await recorder.close()
    assert recorder.counters.written == 4
    assert caplog.messages == [
        "recorded cost events wait: the database does not take them",
        "recorded cost events are stored again",
    ]


async def test_an_event_that_is_refused_stops_no_other(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    computer.database.overflowing = {"e3"}
    recorder = computer.recorder()
    record(recorder, *range(10))
    await recorder.close()
    assert computer.database.numbers == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert (recorder.counters.written, recorder.counters.refused) == (9, 1)
    [told] = caplog.messages
    assert "'e3' of org org_1, source host" in told
    assert computer.files() == []


async def test_an_event_that_breaks_the_database_is_refused_when_others_are_stored(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    computer.database.defective = {"e3"}
    recorder = computer.recorder()
    record(recorder, 3)
    await computer.database.asked(4)
    assert recorder.counters.refused == 0  # alone it may as well be the database
    for number in range(10, 20):
        record(recorder, number)
        await computer.database.holds(number - 9)
    await recorder.close()
    assert computer.database.numbers == list(range(10, 20))
    assert (recorder.counters.written, recorder.counters.refused) == (10, 1)
    assert "is refused after 3 tries" in caplog.text


async def test_many_that_break_the_database_stop_no_other_either(computer: Computer) -> None:
    computer.database.defective = {f"e{number}" for number in range(600)}
    recorder = computer.recorder()
    record(recorder, *range(600))
    await computer.database.asked(30)
    for number in range(1000, 1003):
        record(recorder, *range(number * 100, number * 100 + 100))
        await computer.database.holds((number - 999) * 100)
    for number in range(10):
        record(recorder, number + 10**6)
        await computer.database.holds(301 + number)
    await recorder.close()
    assert recorder.counters.refused + recorder.counters.written == 910
    assert recorder.counters.written == 310


async def test_a_database_that_fails_with_defects_refuses_nothing(computer: Computer) -> None:
    numbers = range(40)
    computer.database.defective = {f"e{number}" for number in numbers}
    recorder = computer.recorder()
    record(recorder, *numbers)
    await computer.database.asked(100)
    assert recorder.counters.refused == 0
    computer.database.defective = set()
    await computer.database.holds(40)
    await recorder.close()
    assert recorder.counters.written == 40


async def test_closing_writes_what_waits(computer: Computer) -> None:
    recorder = computer.recorder(replace(AT_ONCE, gather=3600))
    record(recorder, *range(1100))
    await recorder.close()
    assert computer.database.numbers == list(range(1100))
    assert computer.files() == []


async def test_closing_during_an_outage_leaves_all_in_the_file(computer: Computer) -> None:
    computer.database.is_away = True
    recorder = computer.recorder(Pace(gather=3600, backoff=3600, most_backoff=3600))
    record(recorder, 1, 2, 3)
    await recorder.close()
    assert recorder.counters.written == 0
    assert [len(each.read_bytes().splitlines()) for each in computer.files(".jsonl")] == [3]
    computer.database.is_away = False
    assert await computer.recorder().adopt()
    assert computer.database.numbers == [1, 2, 3]
    assert computer.files() == []


async def test_closing_takes_no_longer_than_it_may(computer: Computer) -> None:
    computer.database.gate = asyncio.Event()  # never set
    recorder = computer.recorder()
    record(recorder, 1)
    await computer.database.asked(1)
    async with asyncio.timeout(20):
        await recorder.close(0.01)
    assert len(computer.files(".jsonl")) == 1


async def test_closing_puts_into_the_file_what_was_in_memory_alone(computer: Computer) -> None:
    computer.disk.is_full = computer.database.is_away = True
    recorder = computer.recorder()
    recorder._backlog.journal._monotonic = lambda: float(computer.disk.writes)
    record(recorder, 1, 2)
    computer.disk.is_full = False
    computer.disk.writes = 10  # a while later
    await recorder.close()
    [file] = computer.files(".jsonl")
    assert file.read_bytes() == b"event " + body(1) + b"\nevent " + body(2) + b"\n"


async def test_what_has_no_place_at_the_end_is_told_and_stays_for_another_start(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    computer.disk.is_read_only = computer.database.is_away = True
    recorder = computer.recorder()
    record(recorder, 1, 2)
    await recorder.close()
    assert caplog.messages[-1] == ("2 cost events are in memory alone: they end with this process")
    computer.database.is_away = False
    recorder.start()
    await computer.database.holds(2)
    await recorder.close()


async def test_after_closing_the_next_line_begins_anew(computer: Computer) -> None:
    recorder = computer.recorder()
    for number in range(3):
        record(recorder, number)
        await recorder.close()
    assert computer.database.numbers == [0, 1, 2]


async def test_a_line_of_another_kind_is_read_by_whoever_registered_it(
    computer: Computer,
) -> None:
    recorder = computer.recorder()
    seen: list[bytes] = []
    recorder.register("call", lambda line: seen.append(line))
    assert recorder.append("call", b'{"tokens":1}')
    await recorder.close()
    assert seen == [b'{"tokens":1}']
    assert recorder.counters.written == 1  # done with, and nothing to store


async def test_a_line_that_cannot_be_read_is_refused_and_not_repeated_in_the_log(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = computer.recorder()
    recorder.append(EVENT, b'{"org":"org_1","source":"host","event":{"model":"secret"}}')
    record(recorder, 1)
    await recorder.close()
    assert (recorder.counters.written, recorder.counters.refused) == (1, 1)
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert "secret" not in caplog.text


def test_a_kind_is_known_before_its_lines_and_a_body_is_one_line(computer: Computer) -> None:
    recorder = computer.recorder()
    with pytest.raises(KeyError):
        recorder.append("call", b"{}")
    with pytest.raises(ValueError, match="one line"):
        recorder.append(EVENT, b"{\n}")
    for kind in ("", "a call", "é"):
        with pytest.raises(ValueError, match="a word of ASCII letters"):
            recorder.register(kind, lambda line: None)
    kill(recorder)


async def test_a_reading_that_fails_is_tried_again(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    computer.queue_events = 1
    computer.disk.is_unreadable = True
    recorder = computer.recorder()
    record(recorder, 1, 2)
    await computer.database.holds(1)  # what is in memory does not wait for the disk
    computer.disk.is_unreadable = False
    await computer.database.holds(2)
    await recorder.close()
    assert computer.database.numbers == [1, 2]
    assert all("the journal cannot be read back" in each for each in caplog.messages[:1])
