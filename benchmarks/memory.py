"""How much memory this process holds, in bytes; the peak since it was last forgotten."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident_bytes() -> int:
    """What is resident now; where the kernel does not say, the peak."""
    return _field("VmRSS") or peak_bytes()


def peak_bytes() -> int:
    """The most that was resident since ``forget_peak``, or since the start."""
    # ru_maxrss is no use on Linux: a child inherits its parent's.
    unit = 1 if sys.platform == "darwin" else 1024
    return _field("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def forget_peak() -> None:
    """Begin a new peak, where the kernel can."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def _field(name: str) -> int:
    if not _STATUS.exists():
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
