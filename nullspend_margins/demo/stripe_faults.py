"""Faults that a Stripe server plays when told to, for tests and for trying out failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Rest = Callable[[float], Awaitable[None]]


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """What happens to the next ``times`` requests whose path starts with ``path``.

    ``skip`` requests pass first. ``status`` ``None`` lets the real answer through: late
    (``delay_seconds``), cut in half (``truncate``), or with another ``body``.
    """

    status: int | None = None
    times: int = 1
    skip: int = 0
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    truncate: bool = False
    delay_seconds: float = 0


class Hold:
    """Requests that wait in the server until released."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.entered: asyncio.Event = asyncio.Event()
        """Set when the first request waits here."""
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let everything through, now and later."""
        self._released.set()

    async def pass_through(self) -> None:
        """Wait for the release."""
        self.entered.set()
        await self._released.wait()


class Faults:
    """The faults and holds of one server."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._holds: list[Hold] = []

    def fail(
        self,
        status: int = 500,
        *,
        times: int = 1,
        skip: int = 0,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        truncate: bool = False,
    ) -> Fault:
        """Answer the next ``times`` requests with ``status``; the rest as in ``Fault``."""
        return self.plan(
            Fault(
                status=status,
                times=times,
                skip=skip,
                path=path,
                headers=headers or {},
                body=body,
                truncate=truncate,
            )
        )

    def plan(self, fault: Fault) -> Fault:
        """Play ``fault`` after those planned before it."""
        self._planned.append(fault)
        return fault

    def hold(self, path: str = "/") -> Hold:
        """Keep requests waiting whose path starts with ``path``."""
        hold = Hold(path)
        self._holds.append(hold)
        return hold

    def clear(self) -> None:
        """Behave again: forget the faults, release the holds."""
        self._planned.clear()
        for hold in self._holds:
            hold.release()
        self._holds.clear()

    async def meet(self, path: str, rest: Rest) -> Fault | None:
        """Wait as told, and the fault that this request gets."""
        for hold in tuple(self._holds):
            if path.startswith(hold.path):
                await hold.pass_through()
        fault = self._take(path)
        if fault and fault.delay_seconds:
            await rest(fault.delay_seconds)
        return fault

    def _take(self, path: str) -> Fault | None:
        for fault in self._planned:
            if not path.startswith(fault.path):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._planned.remove(fault)
            return fault
        return None
