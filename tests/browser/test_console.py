"""The line that docs/tutorial.md has a reader enter in the browser's console signs them in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.cli.conftest import COMMAND, process
from tests.docs.taken import taken

[SHOWN] = taken("sh", page="tutorial.md", having="document.cookie")


def line_to_enter(config: Path) -> str:
    """What the page's command prints, after the one that signs an admin in."""
    signed = ["session", "--config", config, "--org", "org_1", "--user", "you", "--role", "admin"]
    cookie = subprocess.run([*COMMAND, *signed], check=True, capture_output=True, text=True)
    echo = f"COOKIE='{cookie.stdout.strip()}'\n{SHOWN.text}"
    return subprocess.run(["sh", "-c", echo], check=True, capture_output=True, text=True).stdout


async def test_the_cookie_of_the_session_command_signs_a_browser_in(
    browser: Browser, tmp_path: Path
) -> None:
    config = tmp_path / "margins.toml"
    config.write_text('[plans.orgs]\norg_1 = "pro"\n')
    line = line_to_enter(config)
    with process("serve", "--config", config, "--port", 0) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        context = await browser.new_context(base_url=url)
        page = await context.new_page()
        answer = await page.goto("/margins")
        assert answer is not None
        assert answer.status == 401
        await page.evaluate(line)
        await page.goto("/margins")
        await expect(page.get_by_role("heading", name="Margins", exact=True)).to_be_visible()
        await context.close()
