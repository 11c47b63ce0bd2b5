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
from markupsafe import Markup, escape

from nullspend_margins.dashboard.overrides import ORIGINALS
from nullspend_margins.domain.text import isolated, visible


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
    made.filters["bdi"] = bdi
    made.filters["isolated"] = isolated
    return made


def bdi(text: str) -> Markup:
    """What somebody else wrote, as an element that turns nothing beside it. Not for attributes."""
    return Markup(f"<bdi>{escape(visible(text))}</bdi>")  # noqa: S704 - escaped
