"""The site is built without a warning and without a network, and holds together."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

import nullspend_margins
from nullspend_margins import testing
from nullspend_margins.hookspecs import HOOKS
from tests.docs.pages import DOCS, ROOT

NOWHERE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://[::]:9")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Page(HTMLParser):
    """What a page leads to, what can be led to on it, and its pictures."""

    file: Path
    links: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    pictures: list[dict[str, str | None]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := found.get(name)))
        if tag == "a" and (link := found.get("href")):
            self.links.append(link)
        if tag in {"script", "img", "link"} and (source := found.get("src") or found.get("href")):
            self.sources.append(source)
        if tag == "img":
            self.pictures.append(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as the documentation says, where no network is."""
    output = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-b", "html"]
    done = subprocess.run(
        [*command, str(DOCS), str(output)],
        cwd=ROOT,
        env={**os.environ, **NOWHERE},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return output


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {file.name: Page(file) for file in site.glob("*.html")}


def test_every_page_is_in_the_navigation(pages: dict[str, Page]) -> None:
    written = {f"{page.stem}.html" for page in DOCS.glob("*.md")}
    assert written <= pages.keys()
    listed = {urlsplit(link).path for link in pages["index.html"].links} | {"index.html"}
    assert written - listed == set()


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path, pages: dict[str, Page]) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            target = parts.path or name
            if not (site / unquote(target)).is_file():
                broken.append((name, link))
            elif parts.fragment and target in pages:
                known = pages[target].anchors
                broken += [] if unquote(parts.fragment) in known else [(name, link)]
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Page]) -> None:
    assert [each for page in pages.values() for each in page.sources if urlsplit(each).netloc] == []


def test_every_public_name_and_hook_is_in_the_python_reference(site: Path) -> None:
    body = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    listed = {line.split()[0] for line in zlib.decompress(body).decode().splitlines()}
    wanted = {f"nullspend_margins.{name}" for name in nullspend_margins.__all__}
    wanted |= {f"nullspend_margins.testing.{name}" for name in testing.__all__}
    wanted |= {f"nullspend_margins.hookspecs.{name}" for name in HOOKS}
    assert wanted - listed == set()


def test_the_openapi_document_is_beside_the_pages(site: Path) -> None:
    assert json.loads((site / "openapi.json").read_text())["openapi"].startswith("3.1")


def test_every_picture_says_in_words_what_it_shows(pages: dict[str, Page]) -> None:
    found = [picture for page in pages.values() for picture in page.pictures]
    assert found
    assert [each for each in found if len(each.get("alt") or "") < 40] == []


@pytest.mark.parametrize("file", sorted(DOCS.glob("images/*.svg")), ids=lambda file: file.name)
def test_every_drawing_is_used_and_has_a_title_and_a_description(file: Path) -> None:
    drawing = ElementTree.parse(file).getroot()  # noqa: S314 - our own
    names = {drawing.findtext(f"{_SVG}{tag}") for tag in ("title", "desc")}
    assert all(names)
    assert any(f"](images/{file.name})" in page.read_text("utf-8") for page in DOCS.glob("*.md"))


def test_no_page_asks_to_be_left_out_or_to_be_unchecked() -> None:
    asking = re.compile(r"^orphan:|:nocheck:|suppress_warnings", re.MULTILINE)
    assert [
        file.name
        for file in [*DOCS.glob("*.md"), DOCS / "conf.py"]
        if asking.search(file.read_text("utf-8"))
    ] == []
