"""What ``new-plugin`` writes works as it is: built, installed, tested, linted, loaded."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from nullspend_margins import ServiceUnavailable
from nullspend_margins.cli import scaffold
from nullspend_margins.cli.scaffold import KINDS, render
from nullspend_margins.testing import FakeService
from nullspend_margins.testing.bad_days import OTHER_FORMS
from tests.dashboard.visiting import followed, look, send, words
from tests.docs.pages import ROOT
from tests.testing.packages import install, install_together, python, run_tests
from tests.world import world

CASES = [*((kind,) for kind in KINDS), tuple(KINDS)]


def write(folder: Path, name: str, *kinds: str) -> Path:
    for path, text in render(name, kinds, "0.1").items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def assert_its_own_tests_pass(source: Path, site: Path, kinds: int) -> None:
    found = run_tests(source, "-W", "error", site=site)
    assert found.returncode == 0, found.stdout
    counted = re.search(r"^(\d+) passed in", found.stdout, re.MULTILINE)
    assert counted is not None, found.stdout  # none is skipped
    assert int(counted[1]) > 12 * kinds


def test_its_own_tests_pass_where_it_is_installed(tmp_path: Path) -> None:
    site = install(write(tmp_path / "new", "acme-x", *KINDS), tmp_path)
    assert_its_own_tests_pass(tmp_path / "source", site, len(KINDS))


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of each kind, the sources in folders of that name, installed in ``site``."""
    folder = tmp_path_factory.mktemp("neighbours")
    sources = [write(folder / kind, f"acme-{kind}", kind) for kind in KINDS]
    install_together(folder / "site", *sources)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass_beside_other_plugins_that_need_settings(
    neighbours: Path, kind: str
) -> None:
    assert_its_own_tests_pass(neighbours / kind, neighbours / "site", 1)


@pytest.mark.parametrize("name", ["a", "an-uncommonly-long-name-abcdef"])
def test_it_is_linted_and_formatted(name: str, tmp_path: Path) -> None:
    for kinds in CASES:  # each with its own settings of ruff
        write(tmp_path / "+".join(kinds), name, *kinds)
    for command in (("check",), ("format", "--check")):
        found = python("-m", "ruff", *command, "--no-cache", ".", cwd=tmp_path)
        assert found.returncode == 0, found.stdout


def test_its_types_are_strict(tmp_path: Path) -> None:
    folder = write(tmp_path / "new", "acme-x", *KINDS)
    found = python("-m", "mypy", "--cache-dir", str(tmp_path / "cache"), cwd=folder)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("body", OTHER_FORMS, ids=repr)
async def test_what_no_suite_asks_of_json_holds_all_the_same(
    body: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "new", "acme-y", "authenticator", "plan-checker")
    monkeypatch.syspath_prepend(folder / "src")
    service = FakeService(lambda _: httpx.Response(404)).answering(body)
    tokens = runpy.run_path(str(folder / "tests/test_authenticator.py"))["TestTokens"]
    with pytest.raises(ServiceUnavailable, match="whose token this is"):
        await tokens().make(service).authenticate(tokens.good)
    plans = runpy.run_path(str(folder / "tests/test_plan_checker.py"))["TestPlans"]
    with pytest.raises(ServiceUnavailable, match="which plan"):
        await plans().make(service).plan("org_1")


async def test_a_new_revenue_provider_is_connected_on_the_dashboard(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "new", "acme-x", "revenue-provider")
    monkeypatch.syspath_prepend(folder / "src")
    made = runpy.run_path(str(folder / "tests/test_revenue_provider.py"))
    page = "/margins/connect/acme-x"
    async with world(sqlite_url, plugins=[made["TestInvoices"]().make()]) as here:
        form = await look(here, page)
        assert "Connect Acme X" in words(form)
        assert re.search(r'<input type="password" id="token-token" name="field.token"', form)
        wrong = await send(here, page, {"field.token": "hush"})
        assert "It must be an API token, acme-x_..." in words(wrong.text)
        limited = await send(here, page, {"field.token": made["LIMITED"]})
        assert "Tick Invoices: read in the API token" in words(limited.text)
        told = words(await followed(here, await send(here, page, {"field.token": made["GOOD"]})))
    assert "Acme X is connected." in told


def test_the_products_wheel_has_every_template(tmp_path: Path) -> None:
    build = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert python(*build, cwd=ROOT).returncode == 0
    [wheel] = tmp_path.glob("*.whl")
    home = Path(scaffold.__file__).parent
    wanted = {each.relative_to(ROOT).as_posix() for each in home.glob("templates/**/*.txt")}
    with ZipFile(wheel) as packed:
        assert wanted <= set(packed.namelist())
    assert len(wanted) >= 16


def test_nothing_in_it_is_left_unfilled_unsaid() -> None:
    for path, text in render("acme-x", list(KINDS), "0.1").items():
        assert "$" not in text.replace("$(", ""), path
    sources = "".join(render("acme-x", list(KINDS), "0.1").values())
    assert sources.count("FILL IN") >= 2 * len(KINDS)
