"""The files: who may read them, when they go, and what happens when they cannot be written."""

from __future__ import annotations

import logging
import stat

import pytest

from nullspend_margins.recording.backlog import Backlog
from nullspend_margins.recording.counters import Tally
from nullspend_margins.recording.journal import Journal
from tests.recording.fakes import Computer

LINE = b"event " + b"x" * 93 + b"\n"


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def journal(computer: Computer, time: Time) -> Journal:
    """Segments of ten lines, a hundred lines in all."""
    return Journal(
        computer.folder, max_bytes=10_000, segment_bytes=1_000, disk=computer.disk, monotonic=time
    )


def backlog(journal: Journal, most: int = 1000) -> Backlog:
    return Backlog(journal, Tally(), most)


def settle(queue: Backlog, most: int) -> int:
    """Take out and count as written; how many."""
    batch = queue.take(most)
    queue.settle(batch, [])
    return len(batch)


def test_folder_and_files_are_for_their_owner_alone(journal: Journal, computer: Computer) -> None:
    journal.append(LINE)
    assert stat.S_IMODE(computer.folder.stat().st_mode) == 0o700
    assert len(computer.files()) == 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in computer.files()} == {0o600}


def test_nothing_is_made_before_there_is_a_line(journal: Journal, computer: Computer) -> None:
    journal.close()
    assert not computer.folder.exists()


def test_a_full_segment_is_followed_by_another_and_goes_when_its_lines_are_done(
    journal: Journal, computer: Computer
) -> None:
    queue = backlog(journal)
    for _ in range(25):
        assert queue.append(LINE)
    assert [each.stat().st_size for each in computer.files(".jsonl")] == [1000, 1000, 500]
    assert settle(queue, 10) == 10
    assert [each.stat().st_size for each in computer.files(".jsonl")] == [1000, 500]
    assert settle(queue, 100) == 15
    assert [each.stat().st_size for each in computer.files(".jsonl")] == [500]
    journal.close()
    assert computer.files() == []


def test_the_segment_in_use_is_emptied_once_it_is_large_and_done(computer: Computer) -> None:
    queue = backlog(Journal(computer.folder, max_bytes=10**7, disk=computer.disk))
    for _ in range(655):
        queue.append(LINE)
    assert settle(queue, 1000) == 655
    [file] = computer.files(".jsonl")
    assert file.stat().st_size == 65_500  # not worth it
    queue.append(LINE)
    assert settle(queue, 1000) == 1
    assert file.stat().st_size == 0
    queue.append(LINE)
    assert file.read_bytes() == LINE


def test_what_found_no_place_in_memory_is_read_back_from_many_segments(journal: Journal) -> None:
    queue = backlog(journal, most=5)
    lines = [b"event %03d" % number + b"x" * 90 + b"\n" for number in range(40)]
    assert all(map(queue.append, lines))
    assert (queue.counters.queued, queue.counters.spilled) == (40, 35)
    seen: list[bytes] = []
    while batch := queue.take(7):
        seen += [line for line, _ in batch]
        queue.settle(batch, [])
    assert seen == lines
    assert queue.counters.written == 40
    assert len(journal.segments) == 1
    queue.append(lines[0])
    assert queue.counters.spilled == 35  # the memory's turn again


def test_a_full_disk_leaves_lines_in_memory_and_drops_only_what_finds_no_place_there(
    journal: Journal, computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    queue = backlog(journal, most=3)
    assert queue.append(LINE)
    computer.disk.is_full = True
    assert [queue.append(LINE) for _ in range(5)] == [True, True, False, False, False]
    assert (queue.counters.queued, queue.counters.dropped) == (3, 3)
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(errors) == 2, errors  # one that it fails, one that it drops
    assert "No space left on device" in errors[0]
    computer.disk.is_full = False
    assert settle(queue, 10) == 3
    assert queue.append(LINE)
    assert caplog.messages[-1].endswith("the journal takes cost events again")


def test_half_a_line_on_a_full_disk_is_taken_away_again(
    journal: Journal, computer: Computer
) -> None:
    queue = backlog(journal)
    queue.append(LINE)
    computer.disk.is_full, computer.disk.at_once = True, 40
    assert queue.append(LINE)  # in memory
    [file] = computer.files(".jsonl")
    assert file.read_bytes() == LINE
    computer.disk.is_full = False
    queue.append(LINE)
    assert file.read_bytes() == LINE * 2


def test_half_a_line_that_cannot_be_taken_away_ends_its_segment(
    journal: Journal, computer: Computer
) -> None:
    queue = backlog(journal)
    queue.append(LINE)
    computer.disk.is_full, computer.disk.at_once, computer.disk.can_cut = True, 40, False
    assert queue.append(LINE)
    computer.disk.is_full = False
    assert queue.append(LINE)
    first, second = computer.files(".jsonl")
    assert (first.stat().st_size, second.read_bytes()) == (140, LINE)
    assert settle(queue, 10) == 3
    assert computer.files(".jsonl") == [second]


def test_a_folder_that_cannot_be_made_is_tried_again_a_second_later(
    journal: Journal, computer: Computer, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    computer.disk.is_read_only = True
    assert journal.append(LINE) is None
    computer.disk.is_read_only = False
    assert journal.append(LINE) is None
    time.seconds += 1
    assert journal.append(LINE) is not None
    assert "Read-only file system" in caplog.messages[0]
    assert len(caplog.messages) == 2


def test_the_journal_grows_to_its_limit_and_goes_on_when_there_is_room_again(
    journal: Journal, computer: Computer, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    (computer.folder).mkdir()
    (computer.folder / "1-dead.000001.jsonl").write_bytes(LINE * 50)  # others count as well
    queue = backlog(journal, most=20)
    assert [queue.append(LINE) for _ in range(60)] == [True] * 50 + [False] * 10
    assert sum(each.stat().st_size for each in computer.files(".jsonl")) == 10_000
    assert "max_megabytes" in caplog.messages[0]
    assert settle(queue, 30) == 30
    assert not queue.append(LINE) or queue.counters.queued == 21
    time.seconds += 1
    for _ in range(20):
        assert queue.append(LINE)
    assert sum(each.stat().st_size for each in computer.files(".jsonl")) <= 10_000


def test_a_journal_that_somebody_deleted_is_counted_as_dropped(
    journal: Journal, computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    queue = backlog(journal, most=2)
    for _ in range(5):
        queue.append(LINE)
    for each in computer.files(".jsonl"):
        each.unlink()
    assert settle(queue, 10) == 2
    assert settle(queue, 10) == 0
    assert (queue.counters.dropped, queue.counters.queued) == (3, 0)
    assert "is gone, and with it 3 cost events" in caplog.text


def test_a_line_longer_than_a_segment_has_one_of_its_own(
    journal: Journal, computer: Computer
) -> None:
    queue = backlog(journal, most=1)
    long = b"event " + b"x" * 5_000 + b"\n"
    for line in (LINE, long, LINE):
        assert queue.append(line)
    assert [each.stat().st_size for each in computer.files(".jsonl")] == [100, 5007, 100]
    assert [line for line, _ in queue.take(5)] == [LINE, long]  # a file at a time
    assert [line for line, _ in queue.take(5)] == [LINE, long, LINE]
