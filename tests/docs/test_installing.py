"""docs/mounting.md, "Installing": its commands in an empty environment, its extras compared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.docs.pages import DOCS, ROOT, read, sections
from tests.docs.taken import taken, taken_inline
from tests.docs.terminal import Terminal, installed_here

PAGE = "mounting.md"
[FROM_A_WHEEL] = taken("sh", page=PAGE, having="pip wheel")
FROM_THE_CHECKOUT = taken_inline(PAGE, "pip install '/path/to/nullspend-margins[server]'")
REQUIREMENT = taken_inline(
    PAGE, "nullspend-margins[server] @ git+https://git.example.com/nullspend-margins@COMMIT"
)
ENVIRONMENT = "python3 -m venv --without-pip .venv\n. .venv/bin/activate\n"
HERE = "python -c 'import nullspend_margins; print(nullspend_margins.__file__)'"
PROJECT = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]


@pytest.mark.parametrize("command", [FROM_A_WHEEL.text, FROM_THE_CHECKOUT])
def test_the_product_is_installed_into_an_environment(command: str, tmp_path: Path) -> None:
    (tmp_path / "nullspend-margins").symlink_to(ROOT)
    there = command.replace("/path/to", str(tmp_path))
    with Terminal(tmp_path, tmp_path) as terminal:
        terminal.run(ENVIRONMENT + installed_here())
        terminal.run(there)
        assert f"{tmp_path}/.venv/" in terminal.run(f"(cd .venv && {HERE})")
        assert "NullSpend" in terminal.run("nullspend-margins --help | cat")


def test_the_line_for_a_list_of_dependencies_is_one() -> None:
    line = Requirement(REQUIREMENT)
    assert line.name == PROJECT["name"]
    assert line.extras <= PROJECT["optional-dependencies"].keys()


def test_every_extra_is_listed() -> None:
    rows = re.findall(r"^\| (`.+?) \|", sections(DOCS / PAGE)["Installing"], re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert listed == PROJECT["optional-dependencies"].keys()
