"""What the package exports, and that importing it is cheap."""

import subprocess
import sys

import nullspend_margins


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert nullspend_margins.__all__ == sorted(nullspend_margins.__all__)
    for name in nullspend_margins.__all__:
        assert getattr(nullspend_margins, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(nullspend_margins, "Margin")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, nullspend_margins; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"sqlalchemy", "starlette", "stripe", "httpx", "alembic", "rich", "typer", "psycopg"}
    assert not heavy & set(loaded)
