"""axe-core on a page: WCAG 2.2 AA and good practice, in both colour schemes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

_SOURCE = Path(__file__).parent / "vendor" / "axe.min.js"
_TAGS = (
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
)
_RUN = """async (tags) => {
  const found = await axe.run(document, {
    runOnly: {type: "tag", values: tags}, resultTypes: ["violations"],
  });
  return found.violations;
}"""


async def assert_accessible(page: Page) -> None:
    """No violation on the page as it is now, neither light nor dark. Leaves it light."""
    await page.evaluate(_source())
    found = []
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = await page.evaluate(_RUN, list(_TAGS))
        found += [line for each in violations for line in _told(scheme, each)]
    assert not found, "\n".join([page.url, *found])


@cache
def _source() -> str:
    return _SOURCE.read_text("utf-8")


def _told(scheme: str, violation: dict[str, Any]) -> Iterator[str]:
    for node in violation["nodes"]:
        yield f"{scheme}: {violation['id']}: {violation['help']}\n  {node['html'][:300]}"
        yield f"  {node['failureSummary']}"
