"""Folders of templates that plugins register: is each one, and what was probably meant?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path

TEMPLATE_FOLDER = "template folder"
"""The kind in ``HOOKS`` that is no object with a protocol."""

CheckTemplates = Callable[[Path, Sequence[Path]], Sequence[str]]
"""What is wrong with the templates in a folder, beside those of all folders in order; given by the
app, which knows the pages.
"""


def folder_problem(thing: object) -> str | None:
    """Why ``thing`` is no folder of templates, or ``None``."""
    if inspect.isroutine(thing) or inspect.isclass(thing):
        return f"{thing.__name__} is no folder; return its path"
    if not isinstance(thing, str | Path):
        return f"{thing!r} is no folder; return paths, for example Path(__file__).parent / 'pages'"
    path = Path(thing)
    if not path.is_absolute():
        return f"{path} is not absolute; begin it with Path(__file__).parent"
    if path.is_file():
        return f"{path} is a file; return the folder that it is in"
    return None if path.is_dir() else f"{path} does not exist; is it left out of the package?"
