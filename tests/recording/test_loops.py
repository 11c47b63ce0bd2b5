"""Who may record: any thread, any event loop, and processes that fork."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading

import pytest

from nullspend_margins.recording.flusher import Pace, _is_process_ending
from tests.recording.fakes import Computer, kill, record

WITH_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


async def test_threads_record_beside_the_loop(computer: Computer) -> None:
    recorder = computer.recorder()
    recorder.start()
    loop = recorder._flusher
    numbers = [range(start, start + 250) for start in range(0, 2000, 250)]
    await asyncio.gather(*(asyncio.to_thread(record, recorder, *each) for each in numbers))
    await computer.database.holds(2000)
    assert recorder._flusher is loop
    await recorder.close()
    assert recorder.counters.written == 2000
    assert computer.database.numbers == list(range(2000))


def test_where_no_loop_runs_a_thread_stores(computer: Computer) -> None:
    left: list[str] = []

    async def leave() -> None:
        left.append(threading.current_thread().name)

    recorder = computer.recorder()
    recorder._leave = leave
    record(recorder, *range(10))
    asyncio.run(computer.database.holds(10))
    record(recorder, 10)
    asyncio.run(computer.database.holds(11))
    asyncio.run(recorder.close())
    assert recorder._thread is not None
    assert not recorder._thread.is_alive()
    assert left == ["margins-recording"]
    assert computer.files() == []
    record(recorder, 11)  # begins anew
    asyncio.run(computer.database.holds(12))
    asyncio.run(recorder.close())


def test_a_loop_that_ended_hands_over_to_the_next(computer: Computer) -> None:
    computer.database.is_away = True
    recorder = computer.recorder()

    async def use(number: int) -> None:
        record(recorder, number)
        await computer.database.asked(number)

    asyncio.run(use(1))
    asyncio.run(use(2))
    assert recorder.counters.queued == 2
    computer.database.is_away = False

    async def last() -> None:
        record(recorder, 3)
        await computer.database.holds(3)
        await recorder.close()

    asyncio.run(last())
    assert recorder.counters.written == 3


def test_a_loop_that_was_closed_in_the_middle_hands_over_too(computer: Computer) -> None:
    recorder = computer.recorder()
    loop = asyncio.new_event_loop()

    async def use() -> None:
        record(recorder, 1)

    loop.run_until_complete(use())
    abandoned = asyncio.all_tasks(loop)
    loop.close()  # its tasks are neither cancelled nor finished

    async def last() -> None:
        record(recorder, 2)
        await computer.database.holds(2)
        await recorder.close()

    asyncio.run(last())
    assert computer.database.numbers == [1, 2]
    for task in abandoned:
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_where_no_loop_lasts_a_thread_stores(computer: Computer) -> None:
    recorder = computer.recorder(Pace(gather=0.001))

    async def job(number: int) -> None:
        record(recorder, number)

    for number in range(5):
        asyncio.run(job(number))
    asyncio.run(computer.database.holds(5))
    asyncio.run(recorder.close())
    assert computer.files() == []

    async def serve() -> None:  # after a proper end it is for the next loop
        record(recorder, 5)
        assert recorder._flusher is not None
        assert recorder._flusher.loop is asyncio.get_running_loop()
        await recorder.close()

    asyncio.run(serve())
    assert recorder.counters.written == 6


async def test_closing_on_another_loop_leaves_a_running_flusher_alone(computer: Computer) -> None:
    recorder = computer.recorder()
    recorder.start()
    await asyncio.to_thread(lambda: asyncio.run(recorder.close()))
    record(recorder, 1)
    await computer.database.holds(1)
    await recorder.close()


@WITH_FORK
def test_a_forked_child_has_a_journal_of_its_own_and_leaves_the_parents_alone(
    computer: Computer,
) -> None:
    recorder = computer.recorder(Pace(gather=3600))

    async def take() -> None:
        record(recorder, 1, 2)

    asyncio.run(take())
    child = os.fork()
    if not child:
        gc.collect()
        fine = recorder.counters.queued == 0
        asyncio.run(take_in_child(recorder))
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(computer.files(".jsonl")) == 2
    assert len(computer.files(".lock")) == 2
    assert asyncio.run(computer.recorder().adopt())
    assert computer.database.numbers == [3]  # of the child, which is dead
    kill(recorder)
    assert asyncio.run(computer.recorder().adopt())
    assert computer.database.numbers == [1, 2, 3]


async def take_in_child(recorder: object) -> None:
    record(recorder, 3)  # type: ignore[arg-type]


SCRIPT = """
import sys
from pathlib import Path
from tests.recording.fakes import Computer, record
computer = Computer(Path(sys.argv[1]))
computer.database.is_away = True
record(computer.recorder(), *range(100))
"""


def test_a_script_without_a_loop_ends_quietly_and_loses_nothing(computer: Computer) -> None:
    command = [sys.executable, "-c", SCRIPT, str(computer.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert asyncio.run(computer.recorder().adopt())
    assert computer.database.numbers == list(range(100))


@pytest.mark.parametrize(
    "words",
    [
        "cannot schedule new futures after interpreter shutdown",
        "can't create new thread at interpreter shutdown",  # from Python 3.12 on
    ],
)
def test_a_refused_thread_is_known_for_the_end_of_the_process(words: str) -> None:
    assert _is_process_ending(RuntimeError(words))
    assert not _is_process_ending(ValueError(words))
