"""Bodies of connect requests that no provider may accept, or fail at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

MARK = "Zq7Xw3Vk9"
"""Stands in every text that is sent, so that an echo of it is noticed."""

_JUNK: Mapping[str, object] = {
    "null": None,
    "a number": 7_315_924,
    "true": True,
    "a list": [MARK],
    "an object": {"a": MARK},
    "an empty string": "",
    "spaces": "   ",
    "a control character": f"{MARK}\x00\x1b{MARK}",
    "a lone surrogate": f"{MARK}\ud800",
    "100,000 characters": MARK * 11_112,
}


def wrong_bodies(good: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Bodies that must be refused: nothing, only unknown fields, every field of ``good`` junk."""
    yield "an empty body", {}
    yield "a body of unknown fields", {MARK.lower(): MARK}
    for words, junk in _JUNK.items():
        yield f"{words} in every field", dict.fromkeys(good, junk)
    good_texts = {name: value for name, value in good.items() if isinstance(value, str)}
    if good_texts:
        ended = {name: f"{value}\x00{MARK}" for name, value in good_texts.items()}
        yield "good fields that go on after a NUL", {**good, **ended}


def odd_bodies(good: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Good bodies with one field missing or junk, which may be an optional one."""
    for name in good:
        yield f"no {name}", {each: value for each, value in good.items() if each != name}
        for words, junk in _JUNK.items():
            yield f"{words} as {name}", {**good, name: junk}
