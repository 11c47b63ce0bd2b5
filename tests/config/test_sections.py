"""Tables read into dataclasses: what fits, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from nullspend_margins import PluginContext
from nullspend_margins.config import Secret, parse_section, sections
from nullspend_margins.config.references import Referenced
from nullspend_margins.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1


@dataclass(frozen=True, kw_only=True)
class Everything:
    text: str = ""
    count: int = field(default=1, metadata={"at_least": 1, "at_most": 9})
    share: Decimal = Decimal(0)
    ratio: float = 0.0
    on: bool = False
    folder: Path = Path()
    mode: Literal["fast", "careful"] = "fast"
    token: Secret | None = None
    names: tuple[str, ...] = ()
    plans: Mapping[str, int] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)
    inners: Mapping[str, Inner] = field(default_factory=dict)
    anything: object = None
    checked: str = field(default="", metadata={"check": lambda v: "is bad" if v == "bad" else None})

    def __post_init__(self) -> None:
        if self.text == "wrong together":
            raise ValueError("text and the rest do not go together")


def of(kind: object) -> type:
    """A dataclass with one field of that type."""
    return make_dataclass("Made", [("hosts", kind)])


def problems(table: Mapping[str, object], cls: type = Everything) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_section(cls, table, "plugins.acme")
    return str(caught.value).splitlines()


def test_every_declared_type_is_read() -> None:
    table = {
        "text": "t",
        "count": 3,
        "share": Decimal("0.1"),
        "ratio": Decimal("0.5"),
        "on": True,
        "folder": "here",
        "mode": "careful",
        "token": "s3cret",
        "names": ["a", "b"],
        "plans": {"x": 1},
        "inner": {"size": 5},
        "anything": [1, "two"],
    }
    read = parse_section(Everything, table, "plugins.acme")
    assert (read.text, read.count, read.share, read.ratio) == ("t", 3, Decimal("0.1"), 0.5)
    assert (read.on, read.folder, read.mode) == (True, Path("here"), "careful")
    assert read.token is not None
    assert read.token.reveal() == "s3cret"
    assert (read.names, read.plans, read.inner) == (("a", "b"), {"x": 1}, Inner(size=5))
    assert read.anything == [1, "two"]


def test_an_empty_table_gives_the_defaults() -> None:
    assert parse_section(Everything, {}, "plugins.acme") == Everything()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"txt": ""}, "txt: there is no such key. Did you mean plugins.acme.text?"),
        ({"COUNT": 1}, "COUNT: there is no such key. Did you mean plugins.acme.count?"),
        ({"text": 5}, "text: must be a string, not a whole number. Put it in quotes"),
        ({"text": date(2026, 4, 1)}, "text: must be a string, not a date. Put it in quotes"),
        ({"text": True}, "text: must be a string, not true or false"),
        ({"count": "5"}, "count: must be a whole number, not a string. Leave the quotes away"),
        ({"count": True}, "count: must be a whole number, not true or false"),
        ({"count": Decimal("1.5")}, "count: must be a whole number, not a number with decimals"),
        ({"count": 0}, "count: must be at least 1, not 0"),
        ({"count": 10}, "count: must be at most 9, not 10"),
        ({"share": Decimal("nan")}, "share: must be a number, not nan or inf"),
        ({"on": 1}, "on: must be true or false, not a whole number"),
        ({"folder": ""}, "folder: must not be empty"),
        ({"token": ""}, "token: must not be empty"),
        (
            {"mode": "fats"},
            'mode: must be one of "fast", "careful"; "fats" is not. Did you mean fast?',
        ),
        (
            {"names": "a"},
            "names: must be a list, each item a string, not a string. Write it in brackets: [",
        ),
        ({"names": ["a", 1]}, "names[1]: must be a string, not a whole number"),
        ({"plans": {"x": "y"}}, "plans.x: must be a whole number, not a string."),
        ({"plans": {"x": {"1": 5}}}, 'plans.x.1: a name with a dot needs quotes: "x.1"'),
        ({"inners": {"gpt-4": {"1": {"o": {}}, "size": 1}}}, "inners.gpt-4.1.o: a name with a"),
        ({"inners": {"x": {"sise": {}}}}, "inners.x.sise: there is no such key. Did you mean"),
        ({"plans": []}, "plans: must be a table, not a list"),
        ({"inner": {"sise": 1}}, "inner.sise: there is no such key. Did you mean "),
        ({"checked": "bad"}, "checked: is bad"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_a_guess(
    table: dict[str, object], message: str
) -> None:
    (found,) = problems(table)
    assert found.startswith(f"plugins.acme.{message}")


def test_a_key_like_no_other_lists_those_there_are() -> None:
    (found,) = problems({"zzzz": 1}, Inner)
    assert found == "plugins.acme.zzzz: there is no such key. Known here: size."


def test_all_problems_are_told_at_once() -> None:
    found = problems({"txt": "", "count": "5", "on": "yes"})
    assert [each.split(":")[0] for each in found] == [
        "plugins.acme.txt",
        "plugins.acme.count",
        "plugins.acme.on",
    ]


def test_what_a_dataclass_refuses_is_a_problem_of_its_section() -> None:
    assert problems({"text": "wrong together"}) == [
        "plugins.acme: text and the rest do not go together"
    ]


def test_a_missing_key_says_what_it_must_be() -> None:
    @dataclass(frozen=True)
    class Needs:
        token: str

    assert problems({}, Needs) == ["plugins.acme.token: is missing; it must be a string"]


def test_a_wrong_secret_is_never_repeated() -> None:
    (found,) = problems({"count": "sk_live_1234"})
    assert "sk_live_1234" not in found


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("count", "8", 8),
        ("share", "0.25", Decimal("0.25")),
        ("on", "true", True),
        ("ratio", "1e2", 100.0),
    ],
)
def test_text_from_the_environment_may_be_a_number(key: str, text: str, value: object) -> None:
    read = parse_section(Everything, {key: Referenced(text, "env:X")}, "plugins.acme")
    assert getattr(read, key) == value


@pytest.mark.parametrize(
    ("key", "text"), [("count", "8.5"), ("count", "x"), ("on", "1"), ("ratio", "inf")]
)
def test_text_from_the_environment_that_is_no_number_names_its_source(key: str, text: str) -> None:
    (found,) = problems({key: Referenced(text, "env:X")})
    assert found.startswith(f"plugins.acme.{key}: must be ")
    assert found.endswith("(from env:X)")


class Plain:
    size: int = 1


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (Plain, "Plain is no dataclass; put @dataclass(frozen=True, kw_only=True) on it"),
        (of(list[str]), "Made.hosts: list[str] can't be read from TOML; write tuple[str, ...]"),
        (of(dict), "Made.hosts: dict can't be read from TOML; write Mapping[str, str]"),
        (of(tuple[str, int]), "tuple[str, int] can't be read from TOML; write tuple[str, ...]"),
        (of(str | int), "Made.hosts: str | int can't be read from TOML"),
        (of(Mapping[str, bytes]), "can't be read from TOML; write Mapping[str, str]"),
    ],
)
def test_a_type_that_no_table_fits_is_its_authors_mistake(cls: type, said: str) -> None:
    with pytest.raises(TypeError) as caught:
        parse_section(cls, {"hosts": ["a"]}, "plugins.acme")
    assert said in str(caught.value)


def test_plugin_authors_are_told_every_type_that_is_read() -> None:
    told = PluginContext.settings.__doc__ or ""
    assert [kind for kind in sections._NOUNS if f"``{kind.__name__}``" not in told] == []
