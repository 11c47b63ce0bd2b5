"""Calls that hold up the event loop are noticed by what is called."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from nullspend_margins.testing.blocking import blocking_calls, can_watch


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    """An address that connections are taken at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def names(found: list[str]) -> list[str]:
    return [each.partition(",")[0] for each in found]


def test_sleeping_is_noticed_with_its_place() -> None:
    with blocking_calls() as found:
        time.sleep(0)
    [told] = found
    assert told.startswith(f"time.sleep, called at {__file__}:")
    assert told.endswith("(test_sleeping_is_noticed_with_its_place)")


def test_a_blocking_socket_is_noticed(listener: tuple[str, int]) -> None:
    with blocking_calls() as found, socket.create_connection(listener):
        pass
    assert names(found) == ["socket.getaddrinfo", "socket.connect of a blocking socket"]
    assert __file__ in found[0]


def test_urllib_is_noticed(listener: tuple[str, int]) -> None:
    host, port = listener
    with blocking_calls() as found, pytest.raises(TimeoutError):
        urllib.request.urlopen(f"http://{host}:{port}", timeout=0.01)
    assert "socket.connect of a blocking socket" in names(found)


def test_asyncio_itself_does_not_block(listener: tuple[str, int]) -> None:
    async def connect() -> None:
        _, writer = await asyncio.open_connection(*listener)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0)

    with blocking_calls() as found:
        asyncio.run(connect())
    assert found == []


def test_other_threads_may_block() -> None:
    with blocking_calls() as found:
        thread = threading.Thread(target=time.sleep, args=(0,))
        thread.start()
        thread.join()
    assert found == []


def test_a_profiler_is_left_alone() -> None:
    assert can_watch()
    sys.setprofile(lambda *_: None)
    try:
        assert not can_watch()
    finally:
        sys.setprofile(None)
