"""Ids of calls: none twice, in threads and in forked processes neither."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from nullspend_margins.metering.ids import new_id

_MANY = 1_000


def some_ids(count: int) -> list[str]:
    return [new_id() for _ in range(count)]


def test_ids_are_32_digits_and_none_comes_twice() -> None:
    ids = some_ids(_MANY)
    assert len(set(ids)) == _MANY
    assert {len(bytes.fromhex(each)) for each in ids} == {16}


def test_threads_share_none() -> None:
    with ThreadPoolExecutor(4) as threads:
        found = [each for ids in threads.map(some_ids, [_MANY] * 8) for each in ids]
    assert len(set(found)) == 8 * _MANY


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_has_others() -> None:
    new_id()  # the parent has some ready
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(some_ids(10)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read().decode().split()
    assert len(theirs) == 10
    assert set(theirs).isdisjoint(some_ids(200))
