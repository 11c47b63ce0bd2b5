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


@pytest.mark.parametrize("begins_another", [False, True])
async def test_a_cancelled_block_waits_for_its_work(*, begins_another: bool) -> None:
    work = Work()

    async def block() -> None:
        async with Behind() as behind:
            await behind.begin(work.do("a"))
            if begins_another:
                await behind.begin(work.do("never"))
            await asyncio.sleep(3600)

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    work.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.done == ["a"]
