"""What the package exports, and that importing it is cheap."""

import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from sphinx.pycode import ModuleAnalyzer

import nullspend_margins
from nullspend_margins import testing

NOT_BY_FIELD = {"Config"}
"""Its tables are described key by key in the configuration's reference."""


def fields_of(found: Any) -> Iterable[str]:
    """What an object of the class holds and shows."""
    if dataclasses.is_dataclass(found):
        return [each.name for each in dataclasses.fields(found) if not each.name.startswith("_")]
    return getattr(found, "__struct_fields__", getattr(found, "_fields", ()))


HOLDERS = {
    name: found
    for module in (nullspend_margins, testing)
    for name in module.__all__
    if inspect.isclass(found := getattr(module, name)) and [*fields_of(found)]
}


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


@pytest.mark.parametrize("name", sorted(HOLDERS.keys() - NOT_BY_FIELD))
def test_every_field_of_a_public_class_is_documented(name: str) -> None:
    found = HOLDERS[name]
    documented = ModuleAnalyzer.for_module(found.__module__).find_attr_docs()
    assert [each for each in fields_of(found) if (name, each) not in documented] == []


def test_every_argument_of_what_plugins_get_is_documented() -> None:
    context = nullspend_margins.PluginContext
    arguments = [*inspect.signature(context).parameters]
    assert [each for each in arguments if f"``{each}``" not in (context.__doc__ or "")] == []
