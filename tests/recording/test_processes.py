"""Real processes on real databases, killed while they record."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from nullspend_margins import Margins
from tests.processes.servers import COMMAND, eventually, run, write_config
from tests.recording.fakes import event
from tests.world import ORG, config

_REPOSITORY = Path(__file__).parents[2]
_TIED = (sys.executable, str(_REPOSITORY / "tests" / "processes" / "tied.py"))


@dataclass
class Host:
    """A process that records from ``first`` on."""

    first: int
    process: asyncio.subprocess.Process
    last: int = 0
    """The last event that it said was taken."""

    async def take(self, count: int) -> None:
        """Wait until so many were taken."""
        assert self.process.stdout is not None
        while self.last < self.first + count - 1:
            line = await asyncio.wait_for(self.process.stdout.readline(), 60)
            assert line, "the host ended"
            self.last = int(line)

    async def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        await self._end()
        assert self.process.returncode == -signal.SIGKILL

    async def stop(self) -> None:
        """Let it close properly."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        await self._end()
        assert self.process.returncode == 0

    async def _end(self) -> None:
        assert self.process.stdout is not None
        rest = await asyncio.wait_for(self.process.stdout.read(), 60)
        # The kill may have cut off the last number that it said.
        whole = rest[: rest.rfind(b"\n") + 1].split()
        self.last = int(whole[-1]) if whole else self.last
        await self.process.wait()

    @property
    def taken(self) -> range:
        return range(self.first, self.last + 1)


@asynccontextmanager
async def host(path: Path, first: int) -> AsyncIterator[Host]:
    process = await asyncio.create_subprocess_exec(
        *(*_TIED, sys.executable, "-m", "tests.recording.host", str(path), str(first)),
        cwd=_REPOSITORY,
        env={name: value for name, value in os.environ.items() if "NULLSPEND" not in name},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Host(first, process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.fixture
def path(database_url: str, tmp_path: Path) -> Path:
    """The configuration of every process, on each database."""
    return write_config(tmp_path / "margins.toml", config(database_url, "http://127.0.0.1:9"))


async def missing(path: Path, taken: range) -> int:
    """How many of the events that were taken are not stored."""
    margins = Margins.from_toml(path)
    async with margins.lifespan():
        events = [event(number, tag_value="hot") for number in taken]
        return await margins.ingest(ORG, events)


def left(path: Path) -> list[Path]:
    return list((path.parent / "margins.journal").iterdir())


async def only(path: Path, *hosts: Host) -> bool | None:
    """Whether nobody else has files there."""
    owners = {each.name.partition("-")[0] for each in left(path)}
    return owners <= {str(each.process.pid) for each in hosts} or None


async def test_what_a_killed_process_took_is_stored_by_the_sync_command(path: Path) -> None:
    async with host(path, 1) as killed:
        await killed.take(2000)
        await killed.kill()
    assert left(path)
    told = await run(*COMMAND, "sync", "--config", str(path))
    assert "no connections" in told
    assert left(path) == []
    assert len(killed.taken) >= 2000
    assert await missing(path, killed.taken) == 0


async def test_workers_share_a_folder_and_one_takes_over_what_another_left(path: Path) -> None:
    async with host(path, 1) as one, host(path, 1_000_001) as two:
        await asyncio.gather(one.take(1000), two.take(1000))
        await one.kill()
        async with host(path, 2_000_001) as third:  # adopts as it starts
            await eventually(lambda: only(path, two, third), "the dead one's file is gone")
            await third.take(20)
            await third.stop()
        await two.take(len(two.taken) + 500)
        await two.stop()
    assert left(path) == []
    for each in (one, two, third):
        assert await missing(path, each.taken) == 0
