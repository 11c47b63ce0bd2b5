"""Notices calls that hold up the event loop, by what is called and not by how long it takes."""

from __future__ import annotations

import socket
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_STANDARD_LIBRARY = sysconfig.get_paths()["stdlib"]
_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
_ON_SOCKETS = frozenset(
    ("connect", "connect_ex", "accept", "recv", "recv_into", "recvfrom", "send", "sendall")
)


def can_watch() -> bool:
    """Whether nothing else, a profiler for example, has this thread's calls already."""
    return sys.getprofile() is None


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """What this thread calls within the block that waits without giving the loop back.

    Noticed are ``time.sleep``, the lookup of a host's name, and waiting on a blocking socket;
    each is told with the place it was called from. Other threads may do all of it.
    """
    found: list[str] = []

    def watch(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            name = _blocking_name(function)
            if name is not None:
                found.append(f"{name}, called at {_place(frame)}")

    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(None)


def _blocking_name(function: Any) -> str | None:
    name = getattr(function, "__name__", "")
    if function is time.sleep:
        return "time.sleep"
    owner = getattr(function, "__self__", None)
    if isinstance(owner, socket.socket):
        is_blocking = name in _ON_SOCKETS and owner.gettimeout() != 0
        return f"socket.{name} of a blocking socket" if is_blocking else None
    if name in _LOOKUPS and getattr(owner, "__name__", "") == "_socket":
        return f"socket.{name}"
    return None


def _place(frame: FrameType | None) -> str:
    """The nearest code that is not Python's own."""
    nearest = frame
    while frame is not None and frame.f_code.co_filename.startswith(_STANDARD_LIBRARY):
        if "site-packages" in frame.f_code.co_filename:
            break
        frame = frame.f_back
    shown = frame or nearest
    if shown is None:
        return "an unknown place"
    return f"{shown.f_code.co_filename}:{shown.f_lineno} ({shown.f_code.co_name})"
