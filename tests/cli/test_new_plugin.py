"""``new-plugin``: names, folders, what is written and said."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nullspend_margins import Margins
from nullspend_margins.cli.new_plugin import KindName
from nullspend_margins.cli.scaffold import KINDS, TAKEN
from nullspend_margins.version import __version__
from tests.cli.conftest import Run

FOLDER = "nullspend-margins-acme-billing"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_it_writes_a_package_and_says_what_is_next(run: Run, folder: Path) -> None:
    outcome = run("new-plugin", "acme-billing", "--kind", "revenue-provider")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        f"Wrote {FOLDER}. Next, in the environment that has nullspend-margins:",
        f"  cd {FOLDER}",
        "  pip install -e '.[test]'",
        "  pytest",
        '  grep -rn "FILL IN" src tests    # what is yours to say',
    ]
    package = "src/nullspend_margins_acme_billing"
    assert written(folder / FOLDER) == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        f"{package}/__init__.py",
        f"{package}/plugin.py",
        f"{package}/py.typed",
        f"{package}/revenue_provider.py",
        f"{package}/settings.py",
        "tests/test_plugin.py",
        "tests/test_revenue_provider.py",
    }


def test_the_project_names_its_entry_point_and_no_licence(run: Run, folder: Path) -> None:
    run("new-plugin", "acme", "--kind", "notifier")
    target = folder / "nullspend-margins-acme"
    project = tomllib.loads((target / "pyproject.toml").read_text())["project"]
    assert project["name"] == "nullspend-margins-acme"
    assert project["entry-points"] == {
        "nullspend_margins": {"acme": "nullspend_margins_acme.plugin"}
    }
    assert f"nullspend-margins>={__version__}" in project["dependencies"]
    assert "license" not in project
    assert "Choose a licence" in (target / "README.md").read_text()


def test_several_kinds_go_into_one_package(run: Run, folder: Path) -> None:
    run("new-plugin", "acme", "--kind", "notifier", "--kind", "cost-source")
    plugin = folder / "nullspend-margins-acme/src/nullspend_margins_acme/plugin.py"
    text = plugin.read_text()
    assert text.index("register_cost_sources") < text.index("register_notifiers")
    assert "register_authenticators" not in text
    readme = (folder / "nullspend-margins-acme/README.md").read_text()
    assert "with a cost source and a notifier" in readme


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        (["revenue-provider"], False),
        (["notifier"], True),
        (["notifier", "revenue-provider"], True),
    ],
)
def test_an_operator_is_asked_for_a_token_only_where_it_is_used(
    run: Run, folder: Path, kinds: list[str], wanted: bool
) -> None:
    run("new-plugin", "acme", *(word for kind in kinds for word in ("--kind", kind)))
    target = folder / "nullspend-margins-acme"
    settings = (target / "src/nullspend_margins_acme/settings.py").read_text()
    assert ("token: Secret" in settings) is wanted
    assert ('token = "env:ACME_TOKEN"' in (target / "README.md").read_text()) is wanted


def test_a_folder_can_be_chosen(run: Run, folder: Path) -> None:
    (folder / "here").mkdir()
    outcome = run("new-plugin", "acme", "--kind", "notifier", "--directory", "here")
    assert "Wrote here. Next, " in outcome.out
    assert (folder / "here/pyproject.toml").exists()


def test_nothing_is_overwritten(run: Run, folder: Path) -> None:
    target = folder / "nullspend-margins-acme"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    outcome = run("new-plugin", "acme", "--kind", "notifier")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        "Error: nullspend-margins-acme is there already and not empty; nothing was written. "
        "Choose another folder with --directory.\n"
    )
    assert written(target) == {"notes.txt"}


def test_a_file_in_the_way_is_left_alone(run: Run, folder: Path) -> None:
    (folder / "file").write_text("mine")
    outcome = run("new-plugin", "acme", "--kind", "notifier", "--directory", "file")
    assert outcome.status == 1
    assert (folder / "file").read_text() == "mine"
    outcome = run("new-plugin", "acme", "--kind", "notifier", "--directory", "file/below")
    assert outcome.status == 1
    assert outcome.err == "Error: file/below cannot be written to: Not a directory.\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "Acme",
            "must be small letters and digits, in words with - between them. Did you mean acme?",
        ),
        ("AcmeBilling", "Did you mean acme-billing?"),
        ("acme_billing", "Did you mean acme-billing?"),
        ("Acme Billing!", "Did you mean acme-billing?"),
        ("nullspend-margins-acme", "which is put before it anyway. Did you mean acme?"),
        ("nullspend_margins_acme", "Did you mean acme?"),
        ("2checkout", "Did you mean checkout?"),
        ("stripe", "'stripe' is taken by the product itself."),
        ("a" * 31, "is longer than 30 characters."),
        ("../escape", "Did you mean escape?"),
        ("", "must be small letters and digits"),
        ("日本", "must be small letters and digits"),
    ],
)
def test_a_wrong_name_is_refused_with_a_guess(
    run: Run, folder: Path, name: str, problem: str
) -> None:
    outcome = run("new-plugin", name, "--kind", "notifier")
    assert outcome.status == 2
    # In lines as wide as a terminal.
    assert problem in " ".join(outcome.err.split())
    assert written(folder) == set()


def test_a_wrong_kind_is_refused_with_those_that_are(run: Run, folder: Path) -> None:
    outcome = run("new-plugin", "acme", "--kind", "provider")
    assert outcome.status == 2
    assert "revenue-provider" in outcome.err
    assert written(folder) == set()


def test_a_kind_is_asked_for(run: Run) -> None:
    outcome = run("new-plugin", "acme")
    assert outcome.status == 2
    assert "--kind" in outcome.err


def test_every_kind_has_its_files() -> None:
    assert [kind.value for kind in KindName] == list(KINDS)


def test_the_names_that_are_taken_are_those_of_the_products_own_plugins(tmp_path: Path) -> None:
    margins = Margins({"database": {"url": f"sqlite:///{tmp_path}/margins.db"}})
    ours = (None, "nullspend-margins")
    own = {each.name for each in margins.registry.loaded if each.distribution in ours}
    assert own | {"api", "host"} == TAKEN
