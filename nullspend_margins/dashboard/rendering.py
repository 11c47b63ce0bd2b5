"""Templates: where they are found, and what every one of them may use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)

from nullspend_margins.dashboard.overrides import ORIGINALS
from nullspend_margins.domain.text import visible


def environment(folders: Sequence[Path]) -> Environment:
    """Jinja with autoescaping. Templates in ``folders`` take the place of ours, the first's first.

    An unknown name in a template is an error, not an empty place.
    """
    ours = PackageLoader("nullspend_margins.dashboard")
    theirs = [FileSystemLoader(folder) for folder in folders]
    made = Environment(
        loader=ChoiceLoader([*theirs, ours, PrefixLoader({ORIGINALS: ours})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["visible"] = visible
    return made
