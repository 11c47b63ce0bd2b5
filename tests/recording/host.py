"""A host as a process of its own: records until it is told to stop, or killed.

``python -m tests.recording.host CONFIG FIRST`` prints the number of the last event that was
taken, again and again; a line on its standard input ends it properly.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

from nullspend_margins import Margins
from tests.recording.fakes import event
from tests.world import ORG

AT_ONCE = 20
MOST_WAITING = 2000


async def host(config: str, first: int) -> None:
    margins = Margins.from_toml(config)
    told = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    async with margins.lifespan():
        for number in itertools.count(first, AT_ONCE):
            if told.done():
                break
            events = [event(each, tag_value="hot") for each in range(number, number + AT_ONCE)]
            assert margins.record(ORG, events) == AT_ONCE
            print(number + AT_ONCE - 1, flush=True)
            while margins.recording.queued > MOST_WAITING:  # noqa: ASYNC110 - the end is soon
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)
    assert margins.recording.queued == 0, margins.recording


if __name__ == "__main__":
    asyncio.run(host(sys.argv[1], int(sys.argv[2])))
