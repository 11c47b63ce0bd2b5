"""Numbers as Babel writes them, in a fraction of its time: a table holds hundreds."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

_DIGITS = re.compile(r"[0-9]")
_SAMPLE = 1_234_567_890_123
# Whatever a locale does differently shows in one of these: where it begins to group, its zero.
_PROBES = (0, 1, 12, 123, 1_234, 12_345, 123_456, 1_234_567, 12_345_678, 987_654_321, _SAMPLE)

Written = Callable[[Decimal], str]
"""Babel's way: a count of units, whole and perhaps with a sign of its own at zero."""


class FastPattern:
    """Writes whole counts of one small unit, such as cents, exactly as ``written`` does.

    ``decimals`` are the digits behind the point. What stands around and between the digits is
    taken from what ``written`` gives; where that is not enough to write as it does, it is asked
    every time.
    """

    def __init__(self, written: Written, decimals: int) -> None:
        self._written = written
        self._decimals = decimals
        learned = [_learn(written, sign, decimals) for sign in (1, -1)]
        self._shapes: tuple[_Shape, _Shape] | None = None
        if learned[0] is not None and learned[1] is not None:
            self._shapes = learned[0], learned[1]
        if not all(
            self(count, is_negative=sign < 0) == written(Decimal(count) * sign)
            for count in _PROBES
            for sign in (1, -1)
        ):
            self._shapes = None

    @property
    def is_fast(self) -> bool:
        """Whether it writes by itself."""
        return self._shapes is not None

    def __call__(self, count: int, *, is_negative: bool = False) -> str:
        """``count`` units, not below zero, behind a sign where it ``is_negative``."""
        if self._shapes is None:
            return self._written(Decimal(count).copy_sign(-1 if is_negative else 1))
        shape = self._shapes[is_negative]
        if self._decimals == 0:
            return f"{shape.prefix}{_grouped(count, shape)}{shape.suffix}"
        whole, rest = divmod(count, 10**self._decimals)
        fraction = f"{rest:0{self._decimals}d}"
        return f"{shape.prefix}{_grouped(whole, shape)}{shape.point}{fraction}{shape.suffix}"


class _Shape(NamedTuple):
    """What is around and between the digits; ``first`` and ``others``: digits in a group."""

    prefix: str
    suffix: str
    point: str
    separator: str
    first: int
    others: int


def _grouped(whole: int, shape: _Shape) -> str:
    if shape.first == shape.others == 3:
        text = f"{whole:,}"
        return text if shape.separator == "," else text.replace(",", shape.separator)
    digits = str(whole)
    if not shape.separator or len(digits) <= shape.first:
        return digits
    groups = [digits[-shape.first :]]
    left = digits[: -shape.first]
    while left:
        groups.append(left[-shape.others :])
        left = left[: -shape.others]
    return shape.separator.join(reversed(groups))


def _learn(written: Written, sign: int, decimals: int) -> _Shape | None:
    """The shape of what is written for a long number; ``None`` where it has no such shape."""
    text = written(Decimal(_SAMPLE) * sign)
    places = [found.start() for found in _DIGITS.finditer(text)]
    if "".join(text[place] for place in places) != str(_SAMPLE):
        return None
    whole = len(places) - decimals
    between = [text[one + 1 : other] for one, other in pairwise(places)]
    groups = [nth for nth, gap in enumerate(between[: whole - 1], 1) if gap]
    edges = [*groups, whole]
    sizes = [end - start for start, end in pairwise(edges)]
    first = sizes[-1] if sizes else whole
    return _Shape(
        prefix=text[: places[0]],
        suffix=text[places[-1] + 1 :],
        point=between[whole - 1] if decimals else "",
        separator=between[groups[0] - 1] if groups else "",
        first=first,
        others=sizes[-2] if len(sizes) > 1 else first,
    )
