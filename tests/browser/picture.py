"""Takes the picture of the dashboard that the README and the docs show.

``python -m tests.browser.picture`` writes it; it needs Chromium.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.browser.chromium import running_chromium
from tests.browser.products import running_product, seed
from tests.browser.visits import Visits

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "dashboard.png"


async def take_picture(file: Path) -> None:
    """The page of margins of the sample company, as a window of usual size shows it."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "company.db"
        await seed(database)
        async with running_product(database) as product, running_chromium() as browser:
            visits = Visits(browser)
            page = await visits(product, width=1280)
            await page.set_viewport_size({"width": 1280, "height": 860})
            await page.goto("/margins")
            await page.screenshot(path=file)
            problems = await visits.close()
    if problems:
        raise RuntimeError("\n".join(problems))


if __name__ == "__main__":
    asyncio.run(take_picture(PICTURE))
