"""What a plugin yields is read without giving the plugin the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from nullspend_margins.services.closing import closing


class Pages:
    """Two pages, then the end of everything."""

    def __init__(self) -> None:
        self.is_closed = False

    async def read(self) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
            raise SystemExit(3)
        finally:
            self.is_closed = True


async def test_a_reader_that_stops_early_closes_what_it_reads() -> None:
    source = Pages()
    async with closing(source.read) as pages:
        async for _ in pages:
            break
    assert source.is_closed


async def test_a_plugin_that_wants_to_end_the_process_has_failed() -> None:
    source, seen = Pages(), set[int]()
    with pytest.raises(RuntimeError, match="wanted to end the process") as raised:
        async with closing(source.read) as pages:
            async for page in pages:
                seen.add(page)
    assert seen == {1, 2}
    assert isinstance(raised.value.__cause__, SystemExit)
    assert source.is_closed


def leave() -> AsyncIterator[int]:
    raise SystemExit(3)


class LeavesWhenClosed:
    """An iterator of its own, and no generator."""

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        raise StopAsyncIteration

    async def aclose(self) -> None:
        raise SystemExit(3)


@pytest.mark.parametrize("read", [leave, LeavesWhenClosed])
async def test_so_has_one_that_wants_it_before_the_first_page_or_after_the_last(
    read: Callable[[], AsyncIterator[int]],
) -> None:
    with pytest.raises(RuntimeError, match="wanted to end the process"):
        async with closing(read) as pages:
            assert [page async for page in pages] == []
