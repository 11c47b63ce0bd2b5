"""The examples of the docs that tests run: each test module takes its own when it is imported.

A test compares what was taken with what is there, block by block. So take no more than is run: by
what only one block has in it, or with a name for each. What runs whatever there is of a page may
take all of it.
"""

from __future__ import annotations

import re

from tests.docs.pages import DOCS, ROOT, Block, blocks, prose

TAKEN: set[Block] = set()
"""Every block that was taken so far."""

TAKEN_INLINE: set[tuple[str, str]] = set()
"""The page and the text of every example within a line that was taken so far."""


def taken(*languages: str, page: str | None = None, having: str = "") -> list[Block]:
    """The blocks in these languages with ``having`` in them, of one page or of all."""
    found = [each for each in blocks(*languages, page=page) if having in each.text]
    assert found, f"{page or 'no page'} has no such example: {having or languages}"
    TAKEN.update(found)
    return found


def taken_inline(page: str, text: str) -> str:
    """An example that the page has within a line, ``text``."""
    assert f"`{text}`" in prose(ROOT / page if page == "README.md" else DOCS / page), text
    TAKEN_INLINE.add((page, text))
    return text


def inline_examples(text: str) -> list[str]:
    """What stands within lines and can be run: commands, and calls with arguments of their own.

    One with three dots is a form, not an example; so is a signature.
    """
    return [each for each in inline_spans(text) if _EXAMPLE.search(each) and not _FORM.search(each)]


def inline_spans(text: str) -> list[str]:
    """All code that stands within lines of ``text``."""
    return re.findall(r"`([^`\n]+)`", text)


_EXAMPLE = re.compile(
    r"^(?:\w+=\S+ )*(?:openssl|curl|echo|pip|uvicorn|python3?|pytest|openapi-python-client) .|"
    r"\w\([^)]*[\"'={]"
)
_FORM = re.compile(r"\.\.\.|…|->|^SELECT |^nullspend-margins ")


def steps(page: str) -> list[list[Block]]:
    """Each command of a page with what the page says it prints."""
    found: list[list[Block]] = []
    for block in taken("sh", "text", "json", page=page):
        if block.language == "sh":
            found.append([])
        found[-1].append(block)
    return found
