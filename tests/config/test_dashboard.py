"""``[dashboard]``: what a reader would only find on a page is told at the start."""

from __future__ import annotations

from typing import Any

import pytest
from babel import localedata

from nullspend_margins import ConfigurationError
from nullspend_margins.config import config_from_mapping


def settings(**dashboard: Any) -> Any:
    return config_from_mapping({"dashboard": dashboard}, keep_secrets=False).dashboard


def problem(**dashboard: Any) -> str:
    with pytest.raises(ConfigurationError) as found:
        settings(**dashboard)
    return str(found.value).removeprefix("configuration: ")


def test_every_locale_there_is_may_be_named() -> None:
    for locale in ("", "de", "en_GB", "en-gb", "zh-TW", *localedata.locale_identifiers()):
        assert settings(locale=locale).locale == locale


@pytest.mark.parametrize(
    ("locale", "guess"),
    [
        ("de_DEE", "de_DE"),
        ("fr_FA", "fr_FR"),
        ("en_GB_oxendict", "en_GB"),
        ("en_US.UTF-8", "en_US"),
        ("German", "de"),
        ("jp", "ja_JP"),
        ("cz_CZ", "cs_CZ"),
        ("us", "en_US"),
        ("en_YY", "en_US"),
        ("zh_Hanss", "zh_Hans"),
    ],
)
def test_a_locale_that_is_none_is_named_with_a_guess(locale: str, guess: str) -> None:
    assert problem(locale=locale) == (
        f"dashboard.locale: there is no locale {locale!r}; write one as de or en_GB, or leave it "
        f"empty. Did you mean {guess}?"
    )


@pytest.mark.parametrize("locale", ["xx_YY", "../de", " ", "_", "{next}", "C", "und", "root"])
def test_where_nothing_is_alike_there_is_no_guess(locale: str) -> None:
    assert problem(locale=locale) == (
        f"dashboard.locale: there is no locale {locale!r}; write one as de or en_GB, or leave it "
        "empty."
    )


@pytest.mark.parametrize("braces", ["{nxt}", "{Next}", "{}", "{{next}}", "{ next }", "{next", "}"])
def test_a_placeholder_that_nothing_is_put_into_is_named(braces: str) -> None:
    assert problem(login_url=f"/login?again={{next}}&to={braces}").startswith(
        f"dashboard.login_url: {braces} means nothing here. Did you mean {{next}}, which becomes "
        "the page that was wanted?"
    )


def test_a_sign_in_may_have_its_placeholder_or_none_or_several() -> None:
    for url in ("", "/login", "/login?next={next}", "https://sso.example/{next}?to={next}"):
        assert settings(login_url=url).login_url == url


def test_a_sign_in_must_be_a_link() -> None:
    assert problem(login_url="login?next={next}").startswith("dashboard.login_url: must start")
