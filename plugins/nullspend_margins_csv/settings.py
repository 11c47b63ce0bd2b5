"""What ``[plugins.csv]`` may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_MEGABYTE = 1_000_000


def _folder_problem(folder: Path) -> str | None:
    if folder.is_absolute():
        return None
    return "must be an absolute path: a relative one depends on where the server was started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSettings:
    """Where files may lie, and how large they may be."""

    folder: Path | None = field(
        default=None,
        metadata={
            "help": "The folder whose files can be connected by name, by every org. Not set: none "
            "can, and orgs send a text or a URL",
            "unit": "",
            "check": _folder_problem,
        },
    )
    max_megabytes: int = field(
        default=50,
        metadata={
            "help": "The largest file that is read, from a URL or the folder",
            "unit": "megabytes",
            "at_least": 1,
            "at_most": 2_000,
        },
    )
    timeout_seconds: int = field(
        default=60,
        metadata={
            "help": "The longest that a download from a URL may take",
            "unit": "seconds",
            "at_least": 1,
            "at_most": 600,
        },
    )

    @property
    def max_bytes(self) -> int:
        """The largest file that is read."""
        return self.max_megabytes * _MEGABYTE
