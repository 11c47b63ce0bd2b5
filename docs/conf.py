"""Builds the site: ``sphinx-build -W -n -b html docs build/docs``. Takes no network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from nullspend_margins.version import __version__

project = "NullSpend Margins"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88

autodoc_type_aliases = {"Scope": "Scope", "ASGIApp": "ASGIApp"}

nitpicky = True
nitpick_ignore_regex = [
    # The standard library, Starlette and httpx: to know where they are, a build needs a network.
    ("py:class", r"(collections\.abc|datetime|decimal|os|pathlib)\..*|Path|ASGIApp|httpx\..*"),
    # The tables of the configuration: configuration.md has every key.
    (
        "py:class",
        r"nullspend_margins\.config\.(model|metering|cost_sources|revenue|dashboard)\.\w+Settings",
    ),
    # Names of literals and type variables, which have no place of their own.
    ("py:class", r"Environment|nullspend_margins\..*\.[A-Z]"),
]

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False


def write_openapi(app: Sphinx, problem: Exception | None) -> None:
    """Put the OpenAPI document beside the pages."""
    if problem is None and app.builder.format == "html":
        command = [sys.executable, "-m", "nullspend_margins", "openapi"]
        with (Path(app.outdir) / "openapi.json").open("wb") as file:
            subprocess.run(command, check=True, stdout=file)  # noqa: S603 - our own command


def leave_out_rules(  # Sphinx decides what it takes
    _app: Sphinx, _what: str, name: str, _obj: object, _skip: bool, _options: object
) -> bool | None:
    """The rules of the suites for plugins: testing-plugins.md lists them."""
    return True if name.startswith("test_") else None


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("autodoc-skip-member", leave_out_rules)
    app.connect("build-finished", write_openapi)
    app.add_lexer("crontab", TextLexer)  # Pygments has none
