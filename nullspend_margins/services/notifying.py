"""One call of a notifier, kept apart from everything else: whatever it does, it is an outcome."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import dataclass

from nullspend_margins.domain.alert import Alert
from nullspend_margins.errors import MarginsError, ValidationFailed
from nullspend_margins.protocols import Notifier

_STOP_SECONDS = 1.0
_MAX_REASON = 500

_log = logging.getLogger("nullspend_margins.alerts")
_running: set[asyncio.Task[None]] = set()
"""Also those that did not stop when told to: an event loop forgets tasks that nobody holds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an alert was not delivered, in one line. ``is_final``: trying again would not help."""

    reason: str
    is_final: bool = False


async def notify(notifier: Notifier, alert: Alert, seconds: float) -> Failure | None:
    """Deliver ``alert``, within ``seconds``. Returns what went wrong, never raises it.

    The call is a task of its own, so that a ``CancelledError`` that the notifier raises is not
    taken for ours, and one that ignores being cancelled holds nobody up. ``KeyboardInterrupt``
    and ``SystemExit`` end the process, as they do anywhere.
    """
    call = asyncio.create_task(_call(notifier, alert), name=f"margins-notify-{notifier.name}")
    _running.add(call)
    call.add_done_callback(_ended)
    try:
        await asyncio.wait({call}, timeout=seconds)
        in_time = call.done()
    finally:
        if not call.done():
            call.cancel()
            await asyncio.wait({call}, timeout=_STOP_SECONDS)
    return _outcome(call, in_time, seconds)


def one_line(text: str) -> str:
    """Safe to log and to store: without control characters, and not too long."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MAX_REASON]


async def _call(notifier: Notifier, alert: Alert) -> None:
    await notifier.notify(alert)


def _ended(call: asyncio.Task[None]) -> None:
    _running.discard(call)
    if not call.cancelled():
        call.exception()  # so that it counts as looked at


def _outcome(call: asyncio.Task[None], in_time: bool, seconds: float) -> Failure | None:
    if not call.done() or (call.cancelled() and not in_time):
        return Failure(f"it took longer than {seconds:g} seconds")
    if call.cancelled():
        return Failure("CancelledError")
    problem = call.exception()
    return None if problem is None else _failure(problem)


def _failure(problem: BaseException) -> Failure:
    if isinstance(problem, MarginsError):
        return Failure(one_line(problem.message), isinstance(problem, ValidationFailed))
    # Where, and not what it says: a vendor's error may quote a URL with a token in it.
    frames = traceback.format_tb(problem.__traceback__)
    _log.debug("a notifier raised %s:\n%s", type(problem).__name__, "".join(frames))
    return Failure(type(problem).__name__)
