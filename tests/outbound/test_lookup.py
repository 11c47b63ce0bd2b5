"""The name service, in threads that are nobody else's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from nullspend_margins.outbound.lookup import Resolver


class Hung:
    """A name service that answers when it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.released = threading.Event()
        self.threads: set[threading.Thread] = set()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.threads.add(threading.current_thread())
        self.asked.release()
        assert self.released.wait(30)
        return [host]


async def given_up(resolver: Resolver, hung: Hung) -> None:
    """Nobody waits for it any more, once a thread hangs in it."""
    lookup = asyncio.create_task(resolver.look_up("hung.example", 443))
    assert await asyncio.to_thread(hung.asked.acquire, timeout=30)
    lookup.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lookup


async def test_hung_lookups_take_no_thread_of_the_event_loop_and_hold_up_no_exit() -> None:
    hung = Hung()
    resolver = Resolver(hung, threads=2)
    for _ in range(2):
        await given_up(resolver, hung)
    assert len(hung.threads) == 2
    assert all(each.daemon and each.name == "margins-lookup" for each in hung.threads)
    with pytest.raises(OSError, match="does not answer"):  # at once
        await resolver.look_up("another.example", 443)
    hung.released.set()
    for each in hung.threads:
        each.join()
    assert await resolver.look_up("another.example", 443) == ["another.example"]


async def test_more_lookups_than_threads_wait_for_each_other() -> None:
    hung = Hung()
    resolver = Resolver(hung, threads=2)
    lookups = [asyncio.create_task(resolver.look_up(f"{each}.example", 443)) for each in range(6)]
    await asyncio.sleep(0)
    hung.released.set()
    found = await asyncio.gather(*lookups)
    assert found == [[f"{each}.example"] for each in range(6)]


async def test_what_the_name_service_says_is_passed_on() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(OSError, match="not known"):
        await Resolver(unknown).look_up("nowhere.example", 443)
