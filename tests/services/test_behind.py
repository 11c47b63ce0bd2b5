"""Work behind a block: in order, never left behind, and its failures told."""

from __future__ import annotations

import asyncio

import pytest

from nullspend_margins.services.behind import Behind


class Work:
    """Pieces of work that end when they are let go."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gate = asyncio.Event()

    async def do(self, name: str) -> None:
        await self.gate.wait()
        self.done.append(name)

    async def write(self, name: str) -> None:
        """As a write does that has begun: it goes on, and says at its end that it was cancelled."""
        is_cancelled = False
        while not self.gate.is_set():
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                is_cancelled = True
        self.done.append(name)
        if is_cancelled:
            raise asyncio.CancelledError

    async def fail(self, name: str) -> None:
        await self.gate.wait()
        raise ValueError(name)


async def test_the_next_piece_is_made_ready_while_one_is_under_way() -> None:
    work = Work()
    async with Behind() as behind:
        await behind.begin(work.do("a"))
        assert work.done == []
        work.gate.set()
        await behind.begin(work.do("b"))
        assert work.done == ["a"]
    assert work.done == ["a", "b"]


async def test_a_failure_is_raised_where_the_next_one_is_begun() -> None:
    work = Work()
    work.gate.set()
    with pytest.raises(ValueError, match="a"):
        async with Behind() as behind:
            await behind.begin(work.fail("a"))
            await behind.begin(work.do("never"))
    assert work.done == []


async def test_a_failure_of_the_last_is_raised_at_the_end() -> None:
    work = Work()
    work.gate.set()
    with pytest.raises(ValueError, match="a"):
        async with Behind() as behind:
            await behind.begin(work.fail("a"))


@pytest.mark.parametrize("kind", ["do", "fail"])
async def test_what_fails_in_the_block_is_raised_once_its_work_has_ended(kind: str) -> None:
    work = Work()
    ended = asyncio.Event()

    async def piece() -> None:
        try:
            await getattr(work, kind)("a")
        finally:
            ended.set()

    async def block() -> None:
        async with Behind() as behind:
            await behind.begin(piece())
            asyncio.get_running_loop().call_soon(work.gate.set)
            raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        await block()
    assert ended.is_set()


async def block_of(work: Work, place: str) -> None:
    """A block that stands at ``place`` while its first work is under way."""
    async with Behind() as behind:
        await behind.begin(work.write("a"))
        if place == "at the next work":
            await behind.begin(work.do("never"))
        if place == "in the block":
            await asyncio.sleep(3600)


@pytest.mark.parametrize("place", ["in the block", "at the next work", "at the end"])
@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_block_waits_for_its_work_however_often_it_is_cancelled(
    place: str, times: int
) -> None:
    work = Work()
    block = asyncio.create_task(block_of(work, place))
    for _ in range(times):
        await settled()
        block.cancel()
    await settled()
    assert not block.done()
    work.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await block
    assert work.done == ["a"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def settled() -> None:
    """Everything that can go on has."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_failure_beside_another_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    work.gate.set()
    with pytest.raises(LookupError):
        async with Behind() as behind:
            await behind.begin(work.fail("a"))
            raise LookupError
    assert [each.getMessage() for each in caplog.records] == [
        "what was under way failed too: ValueError"
    ]
