"""The documentation as tests read it: pages, fenced blocks, sections, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))

_FENCE = re.compile(r"^```(\S*)[^\n`]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it is, its language and its text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def label(self) -> str:
        return f"{self.page.name}:{self.line}"


def read(page: Path) -> str:
    return page.read_text("utf-8")


def everything() -> str:
    """All pages, one after the other."""
    return "\n".join(map(read, PAGES))


def blocks(*languages: str, page: str | None = None) -> list[Block]:
    """The fenced blocks in these languages (none named: in any), of one page or of all."""
    return [
        Block(each, read(each)[: found.start()].count("\n") + 1, found[1], found[2])
        for each in PAGES
        if page in (None, each.name)
        for found in _FENCE.finditer(read(each))
        if found[1] in languages or not languages
    ]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def sections(page: Path) -> dict[str, str]:
    """Heading to the text below it, up to the next heading; headings in a row share one text."""
    text = read(page)
    headings = [found for found in _HEADING.finditer(text) if not _is_fenced(text, found.start())]
    ends = [found.start() for found in headings[1:]] + [len(text)]
    result: dict[str, str] = {}
    following = ""
    for heading, end in reversed(list(zip(headings, ends, strict=True))):
        own = text[heading.end() : end]
        following = own if own.strip() else following
        result[heading[1]] = following
    return result


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in sections(page)
    }


def _is_fenced(text: str, position: int) -> bool:
    return any(found.start() < position < found.end() for found in _FENCE.finditer(text))
