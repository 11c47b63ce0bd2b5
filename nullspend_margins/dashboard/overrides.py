"""Templates of plugins, looked at when the app is made: a mistake must not wait for a visitor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from nullspend_margins.config.nearest import suggestion

if TYPE_CHECKING:
    from nullspend_margins.dashboard.template_library import TemplateLibrary

ORIGINALS = "default"
"""``{% extends "default/base.html" %}``: a template of ours from one that takes its place."""


@cache
def template_names() -> frozenset[str]:
    """The templates that another may take the place of."""
    folder = files("nullspend_margins.dashboard") / "templates"
    return frozenset(each.name for each in folder.iterdir() if each.name.endswith(".html"))


def template_problems(folder: Path, folders: Sequence[Path]) -> list[str]:
    """What is wrong in a plugin's folder, which is one of ``folders``: all of them, in order.

    Files directly in it must be named after ours, unless they begin with ``_``: those are the
    plugin's own, as is everything in folders below it.
    """
    return [*_name_problems(folder), *_content_problems(folder, folders)]


def _name_problems(folder: Path) -> Iterator[str]:
    for each in sorted(folder.iterdir()):
        if each.is_dir():
            if each.name == ORIGINALS:
                yield f"{each}: {ORIGINALS}/ stands for the product's own templates; rename it"
        elif not each.name.startswith(("_", ".")) and each.name not in template_names():
            guess = suggestion(each.name, template_names())
            yield f"{each}: there is no template of this name to take the place of. {guess}"


def _content_problems(folder: Path, folders: Sequence[Path]) -> Iterator[str]:
    # Jinja is loaded only for those who have templates.
    from nullspend_margins.dashboard.rendering import environment
    from nullspend_margins.dashboard.template_checks import problems_of
    from nullspend_margins.dashboard.template_library import TemplateLibrary

    library = TemplateLibrary(environment(folders))
    for each in sorted(folder.rglob("*.html")):
        name = each.relative_to(folder).as_posix()
        try:
            found = problems_of(library, name, each.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            yield f"{each}: cannot be read: {problem}"
            continue
        yield from (f"{each}: line {line}: {wrong}" for line, wrong in found)
        if not found and name in template_names() and _is_first(each, name, folders):
            yield from _lack(library, each)


def _lack(library: TemplateLibrary, file: Path) -> Iterator[str]:
    """What other templates would import from one in vain."""
    from nullspend_margins.dashboard.template_checks import keeping, lacking

    missing = lacking(library, file.name, template_names())
    if missing:
        users = ", ".join(sorted(set(missing.values())))
        kept = keeping(f"{ORIGINALS}/{file.name}", [*missing])
        yield f"{file}: has no {', '.join(missing)}, for {users}. To keep ours: {kept}"


def _is_first(file: Path, name: str, folders: Sequence[Path]) -> bool:
    """Whether it is this one that is shown, of all that have the name."""
    return next((each / name for each in folders if (each / name).is_file()), file) == file
