"""Names to addresses, by the machine's own resolver."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to IP addresses, the one to try first in front. Raises ``OSError``."""
Ask = Callable[[str, int], Sequence[str]]
"""The same, blocking."""

_THREADS = 4


def _ask_system(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    """Asks in a few threads of its own.

    A lookup cannot be interrupted: in the event loop's threads, hung ones would take those of
    the host, and hold up its end. These here are daemons, and end when there is nothing to do.
    """

    def __init__(self, ask: Ask = _ask_system, threads: int = _THREADS) -> None:
        self._ask = ask
        self._most = threads
        self._threads = 0
        self._waiting: deque[tuple[Future[Sequence[str]], str, int]] = deque()
        self._hung: set[Future[Sequence[str]]] = set()
        self._lock = threading.Lock()

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        """Every address of ``host``, in the order of RFC 6724.

        Raises ``OSError``, at once when each thread hangs in a lookup that nobody waits for any
        more. The resolver also reads addresses in every notation that a browser knows:
        ``127.1``, ``0x7f000001`` and ``017700000001`` are all ``127.0.0.1``.
        """
        answer: Future[Sequence[str]] = Future()
        self._enqueue(answer, host, port)
        try:
            return await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            with self._lock:
                if answer.running():
                    self._hung.add(answer)
            raise

    def _enqueue(self, answer: Future[Sequence[str]], host: str, port: int) -> None:
        with self._lock:
            if len(self._hung) >= self._most:
                raise OSError("the name service does not answer")
            self._waiting.append((answer, host, port))
            if self._threads == self._most:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="margins-lookup", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                answer, host, port = self._waiting.popleft()
            if answer.set_running_or_notify_cancel():
                self._answer(answer, host, port)

    def _answer(self, answer: Future[Sequence[str]], host: str, port: int) -> None:
        try:
            answer.set_result(self._ask(host, port))
        except Exception as problem:
            answer.set_exception(problem)
        with self._lock:
            self._hung.discard(answer)


look_up: Lookup = Resolver().look_up
