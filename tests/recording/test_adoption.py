"""What processes leave that are no more, and who takes it over."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nullspend_margins.recording.flusher import Pace
from nullspend_margins.recording.journal import claim
from tests.recording.fakes import Computer, kill, record

NEVER = Pace(gather=3600, backoff=3600, most_backoff=3600, adopt=3600)


async def dead_process(computer: Computer, *numbers: int) -> None:
    """One that was killed right after it took these."""
    recorder = computer.recorder(NEVER)
    record(recorder, *numbers)
    kill(recorder)


async def test_a_new_process_stores_what_a_killed_one_left(computer: Computer) -> None:
    await dead_process(computer, 1, 2, 3)
    recorder = computer.recorder()
    recorder.start()
    await computer.is_empty()
    await recorder.close()
    assert computer.database.numbers == [1, 2, 3]
    assert recorder.counters.written == 3


async def test_one_that_is_stopped_while_it_adopts_leaves_no_lock_alone(
    computer: Computer,
) -> None:
    await dead_process(computer, 1)
    computer.disk.deleted = threading.Event()
    adoption = asyncio.create_task(computer.recorder().adopt())
    assert await asyncio.to_thread(computer.disk.deleted.wait, 30)
    adoption.cancel()
    computer.disk.may_delete.set()
    await asyncio.wait([adoption])
    await computer.is_empty()


async def test_a_living_process_keeps_its_files(computer: Computer) -> None:
    living = computer.recorder(NEVER)
    record(living, 1)
    assert await computer.recorder().adopt()
    assert computer.database.numbers == []
    assert len(computer.files()) == 2
    await living.close()
    assert computer.database.numbers == [1]


async def test_a_running_process_looks_again_and_again(computer: Computer) -> None:
    recorder = computer.recorder(Pace(gather=0, adopt=0))
    recorder.start()
    await dead_process(computer, 1)
    await computer.database.holds(1)
    await dead_process(computer, 2)
    await computer.database.holds(2)
    await recorder.close()


async def test_two_that_adopt_at_once_store_everything_once(computer: Computer) -> None:
    for number in range(6):
        await dead_process(computer, number)
    one, two = computer.recorder(), computer.recorder()
    await asyncio.gather(one.adopt(), two.adopt())
    assert computer.database.numbers == list(range(6))
    assert one.counters.written + two.counters.written == 6
    assert computer.files() == []


async def test_who_asks_during_an_adoption_is_answered_after_it(computer: Computer) -> None:
    for number in range(3):
        await dead_process(computer, number)
    recorder = computer.recorder()
    computer.database.gate = asyncio.Event()
    first = asyncio.create_task(recorder.adopt())
    await computer.database.asked(1)
    assert not await recorder.adopt(0)
    second = asyncio.create_task(recorder.adopt())
    computer.database.gate.set()
    assert await second
    assert first.done()
    assert computer.database.numbers == [0, 1, 2]


async def test_what_cannot_be_stored_does_not_keep_others_waiting(computer: Computer) -> None:
    computer.database.defective = {"e1"}
    await dead_process(computer, 1)
    for each in computer.files():
        each.rename(each.with_name("0-first" + each.name[each.name.index(".") :]))
    for number in (2, 3):
        await dead_process(computer, number)
    recorder = computer.recorder()
    assert not await recorder.adopt()
    assert not await recorder.adopt()
    assert computer.database.numbers == [2, 3]
    computer.database.defective.clear()
    assert await recorder.adopt()
    assert computer.files() == []


async def test_while_the_database_is_away_the_files_stay(computer: Computer) -> None:
    await dead_process(computer, 1)
    computer.database.is_away = True
    recorder = computer.recorder()
    assert not await recorder.adopt()
    assert len(computer.files()) == 2
    computer.database.is_away = False
    assert await recorder.adopt()
    assert computer.database.numbers == [1]
    assert computer.files() == []


async def test_adoption_ends_in_time_and_goes_on_the_next_time(computer: Computer) -> None:
    computer.segment_bytes = 1000
    await dead_process(computer, *range(10))
    recorder = computer.recorder()
    ends = [await recorder.adopt(0) for _ in range(6)]
    assert (ends[0], ends[-1]) == (False, True)
    assert computer.database.numbers == list(range(10))
    assert computer.files() == []


async def test_a_line_that_was_cut_off_is_left_out_with_a_warning(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    await dead_process(computer, 1, 2)
    [file] = computer.files(".jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    recorder = computer.recorder()
    assert await recorder.adopt()
    assert computer.database.numbers == [1]
    assert "ends within a line, which was never taken" in caplog.text
    assert computer.files() == []


async def test_what_a_power_failure_left_is_refused_and_the_rest_is_stored(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    await dead_process(computer, 1, 2, 3, 4)
    [file] = computer.files(".jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    lines[0] = bytes(100) + lines[0][100:]
    lines[2] = lines[2][:50] + bytes(len(lines[2]) - 51) + b"\n"
    file.write_bytes(b"".join(lines) + bytes(512))
    recorder = computer.recorder()
    assert await recorder.adopt()
    assert computer.database.numbers == [2, 4]
    assert recorder.counters.refused == 2
    assert "is damaged" in caplog.text


async def test_lines_of_a_kind_that_nobody_reads_stay_until_somebody_does(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    dead = computer.recorder(NEVER)
    dead.register("call", lambda line: None)
    record(dead, 1)
    dead.append("call", b"{}")
    kill(dead)
    recorder = computer.recorder()
    for _ in range(2):
        assert await recorder.adopt()
        assert computer.database.submissions == [["e1"]]  # not again and again
        assert len(computer.files()) == 2
    assert caplog.text.count("holds what nothing here reads; it stays") == 1
    seen: list[bytes] = []
    recorder.register("call", lambda line: seen.append(line))
    assert await recorder.adopt()
    assert seen == [b"{}"]
    assert computer.files() == []


async def test_a_file_that_may_not_be_claimed_is_told_once(
    computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    await dead_process(computer, 1)
    [lock] = computer.files(".lock")
    lock.unlink()
    lock.mkdir()
    recorder = computer.recorder()
    await recorder.adopt()
    await recorder.adopt()
    assert len(caplog.messages) == 1
    lock.rmdir()
    assert await recorder.adopt()
    assert computer.database.numbers == [1]


async def test_foreign_files_in_the_folder_are_left_alone(computer: Computer) -> None:
    await dead_process(computer, 1)
    other = computer.folder / "notes.txt"
    other.write_text("mine")
    assert await computer.recorder().adopt()
    assert computer.files() == [other]


def test_a_lock_is_held_by_one(computer: Computer) -> None:
    computer.folder.mkdir()
    first = claim(computer.folder / "a.lock")
    assert first is not None
    assert claim(computer.folder / "a.lock") is None
    first.release()
    second = claim(computer.folder / "a.lock")
    assert second is not None
    second.release()
