"""What the figures were measured on. No names and no paths: only what makes a difference."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path


def described(versions: Mapping[str, str]) -> str:
    """Date, processor, cores, memory, system and versions, in one line."""
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}",
        _processor(),
        f"{os.cpu_count()} cores",
        f"{_memory_gb():.0f} GB",
        f"{platform.system()} {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}",
        *(f"{name} {version}" for name, version in versions.items()),
    ]
    return ", ".join(parts)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
