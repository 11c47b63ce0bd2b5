"""Templates of plugins, looked at when the app is made: a mistake must not wait for a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from nullspend_margins.config.nearest import suggestion

ORIGINALS = "default"
"""``{% extends "default/base.html" %}``: a template of ours from one that takes its place."""


@cache
def template_names() -> frozenset[str]:
    """The templates that another may take the place of."""
    folder = files("nullspend_margins.dashboard") / "templates"
    return frozenset(each.name for each in folder.iterdir() if each.name.endswith(".html"))


def template_problems(folder: Path) -> list[str]:
    """What is wrong in a plugin's folder.

    Files directly in it must be named after ours, unless they begin with ``_``: those are the
    plugin's own, as is everything in folders below it.
    """
    return [*_name_problems(folder), *_syntax_problems(folder)]


def _name_problems(folder: Path) -> Iterator[str]:
    for each in sorted(folder.iterdir()):
        if each.is_dir():
            if each.name == ORIGINALS:
                yield f"{each}: {ORIGINALS}/ stands for the product's own templates; rename it"
        elif not each.name.startswith(("_", ".")) and each.name not in template_names():
            guess = suggestion(each.name, template_names())
            yield f"{each}: there is no template of this name to take the place of. {guess}"


def _syntax_problems(folder: Path) -> Iterator[str]:
    from jinja2 import Environment, TemplateSyntaxError  # only for those who have templates

    parser = Environment(autoescape=True)
    for each in sorted(folder.rglob("*.html")):
        try:
            parser.parse(each.read_text("utf-8"))
        except TemplateSyntaxError as problem:
            yield f"{each}: line {problem.lineno}: {problem.message}"
        except (OSError, UnicodeDecodeError) as problem:
            yield f"{each}: cannot be read: {problem}"
