"""Which locales numbers and dates can be written in: those that Babel has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global, parse_locale

from nullspend_margins.config.nearest import nearest

_TAG = re.compile(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")

_NOBODYS = {"c", "posix", "root", "und"}
"""What Babel takes beside the languages that people speak."""


@lru_cache(maxsize=256)
def known_locale(tag: str) -> Locale | None:
    """The locale of ``en_GB``, ``en-gb`` or ``de``, as well as it is known; else ``None``."""
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return None


def locale_problem(tag: str) -> str | None:
    """Why ``tag`` is no locale, with a guess; ``None`` where it is one, or empty."""
    if not tag or _is_known(tag):
        return None
    guess = next(filter(_is_known, _guesses(tag)), None)
    meant = f" Did you mean {guess}?" if guess is not None else ""
    return f"there is no locale {tag!r}; write one as de or en_GB, or leave it empty.{meant}"


def _is_known(tag: str) -> bool:
    """All of it: parts that Babel has never heard of, it leaves out in silence."""
    found = known_locale(tag) if _TAG.fullmatch(tag) else None
    if found is None or tag.lower() in _NOBODYS:
        return False
    _, territory, script, variant, *_ = parse_locale(tag.replace("-", "_"))
    if territory is not None and found.territory is None:  # not the same: UK is GB
        return False
    return script in (None, found.script) and variant in (None, found.variant)


def _guesses(tag: str) -> Iterator[str]:
    """The best one first; they need not be locales."""
    name = re.split("[.@]", tag)[0].replace("-", "_")  # en_US.UTF-8
    yield name
    language, _, rest = name.partition("_")
    language, place = language.lower(), (rest or language).rpartition("_")[2].upper()
    likely = get_global("likely_subtags")
    if localedata.exists(language):
        known = (each.partition("_") for each in localedata.locale_identifiers())
        own = [part for first, _, part in known if first == language]
        yield f"{language}_{nearest(rest, own) or ''}"
        yield f"{language}_{rest.rpartition('_')[0]}"
        yield f"{language}_{likely.get(language, '').rpartition('_')[2]}"
        yield language
    else:  # the language's name, or a country in its place: jp, cz_CZ
        codes = {english.casefold(): code for code, english in Locale("en").languages.items()}
        yield codes.get(name.casefold(), "")
        yield f"{likely.get(f'und_{place}', '').partition('_')[0]}_{place}"
        yield f"en_{place}"
