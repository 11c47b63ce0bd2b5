"""One call of a notifier, kept apart from everything else: whatever it does, it is an outcome."""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from dataclasses import dataclass
from datetime import timedelta

from nullspend_margins.domain.alert import Alert
from nullspend_margins.domain.text import one_line
from nullspend_margins.errors import MarginsError, ValidationFailed
from nullspend_margins.protocols import Notifier

_STOP_SECONDS = 1.0
_LONGEST_WAIT = timedelta(days=1)
"""However long a receiver asks to be left alone."""

_log = logging.getLogger("nullspend_margins.alerts")
_Call = asyncio.Task[BaseException | None]
_running: set[_Call] = set()
"""Also those that did not stop when told to: an event loop forgets tasks that nobody holds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an alert was not delivered, in one line.

    ``is_final``: trying again would not help. ``is_late``: it was cut off. ``wait``: how long the
    receiver asks to be left alone, by this and every other alert.
    """

    reason: str
    is_final: bool = False
    is_late: bool = False
    wait: timedelta | None = None


async def notify(notifier: Notifier, alert: Alert, seconds: float) -> Failure | None:
    """Deliver ``alert``, within ``seconds``. Returns what went wrong, never raises it.

    The call is a task of its own, so that a ``CancelledError`` that the notifier raises is not
    taken for ours, and one that ignores being cancelled holds nobody up. ``KeyboardInterrupt``
    ends the process, as it does anywhere; ``SystemExit`` is a notifier's mistake, not its right.
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


async def _call(notifier: Notifier, alert: Alert) -> BaseException | None:
    try:
        await notifier.notify(alert)
    except SystemExit as problem:  # a task that raises it ends the event loop of the host
        return problem
    return None


def _ended(call: _Call) -> None:
    _running.discard(call)
    if not call.cancelled():
        call.exception()  # so that it counts as looked at


def _outcome(call: _Call, in_time: bool, seconds: float) -> Failure | None:
    if not call.done() or (call.cancelled() and not in_time):
        return Failure(f"it took longer than {seconds:g} seconds", is_late=True)
    if call.cancelled():
        return Failure("CancelledError")
    problem = call.exception()
    if problem is None:
        problem = call.result()
    return None if problem is None else _failure(problem)


def _failure(problem: BaseException) -> Failure:
    if isinstance(problem, MarginsError):
        return Failure(
            _message(problem), isinstance(problem, ValidationFailed), wait=_wait(problem)
        )
    # Where, and not what it says: a vendor's error may quote a URL with a token in it.
    frames = traceback.format_tb(problem.__traceback__)
    _log.debug("a notifier raised %s:\n%s", type(problem).__name__, "".join(frames))
    return Failure(type(problem).__name__)


def _message(problem: MarginsError) -> str:
    """Of a plugin's making: it may be no text, or there may be none."""
    try:
        return one_line(str(getattr(problem, "message", problem))) or type(problem).__name__
    except Exception:
        return type(problem).__name__


def _wait(problem: MarginsError) -> timedelta | None:
    seconds = getattr(problem, "retry_after_seconds", None)
    if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        return None
    return timedelta(seconds=min(seconds, _LONGEST_WAIT.total_seconds()))
