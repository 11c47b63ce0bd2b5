"""Names to addresses, by the machine's own resolver."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to IP addresses, the one to try first in front. Raises ``OSError``."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of ``host``, in the order of RFC 6724. Raises ``OSError``.

    The resolver also reads addresses in every notation that a browser knows: ``127.1``,
    ``0x7f000001`` and ``017700000001`` are all ``127.0.0.1``.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
