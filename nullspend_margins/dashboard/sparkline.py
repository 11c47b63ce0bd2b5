"""A customer's margin over its months as a small picture, drawn on the server. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from nullspend_margins.domain.margin import CustomerMargin

WIDTH, HEIGHT = 92, 28
_EDGE = 4
_STEP = (WIDTH - 2 * _EDGE) // 3
_LEAST_SPAN = 20_00
"""Hundredths of a percent that the height is at least: a flat margin shall look flat."""

Point = tuple[int, int]


class Sparkline(NamedTuple):
    """What to draw, in a box of ``WIDTH`` by ``HEIGHT``.

    ``line`` goes through the months, ``ahead`` from the last one to the projected; ``zero`` is
    the height of 0 %, where that is among the points. ``now`` and ``end`` are points.
    """

    line: str
    now: Point
    ahead: str | None
    end: Point | None
    zero: int | None


def sparkline(margin: CustomerMargin) -> Sparkline:
    """The picture of one row."""
    points = told_points(margin)
    values = [*points, margin.projected]
    height = _scale([value for value in values if value is not None])
    places = [
        None if value is None else (_EDGE + nth * _STEP, height(value))
        for nth, value in enumerate(values)
    ]
    now, end = places[-2], places[-1]
    if now is None:
        raise ValueError("the last month of a row is always told")
    return Sparkline(
        line=_path(places[:-1]),
        now=now,
        ahead=None if end is None else _path([now, end]),
        end=end,
        zero=height(0) if _reaches_zero(values) else None,
    )


def svg(picture: Sparkline, words: str) -> Markup:
    """The element, with ``words`` for those who don't see it. The projected point is hollow.

    Not in a template: there are hundreds on a page, with a dozen numbers each.
    """
    parts = [f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(words)}']
    parts.append("</title>")
    if picture.zero is not None:
        parts.append(f'<path class="zero" d="M0 {picture.zero}h{WIDTH}"/>')
    parts.append(f'<path d="{picture.line}"/>')
    if picture.end is not None:
        parts.append(f'<path class="ahead" d="{picture.ahead}"/>')
        parts.append(_circle(picture.end, 'class="end" '))
    parts.append(_circle(picture.now))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - numbers, and words that are escaped


def _circle(at: Point, attributes: str = "") -> str:
    return f'<circle {attributes}cx="{at[0]}" cy="{at[1]}" r="2.5"/>'


def told_points(margin: CustomerMargin) -> list[int | None]:
    """The months' percents, oldest first; ``None`` for one before with nothing in it.

    Without a projection one of them had neither revenue nor cost, which counts as 0: a customer
    that is new did not come from there.
    """
    *before, now = margin.sparkline
    if margin.projected is not None:
        return [*before, now]
    return [*(each or None for each in before), now]


def sparkline_text(
    margin: CustomerMargin, months: Sequence[str], percent: Callable[[int], str]
) -> str:
    """The same in words; ``months`` are the names of the three and of the one after."""
    told = [
        f"{month}: {'nothing' if value is None else percent(value)}"
        for month, value in zip(months, told_points(margin), strict=False)
    ]
    if margin.projected is not None:
        told.append(f"{months[-1]}, projected: {percent(margin.projected)}")
    return ", ".join(told)


def _scale(values: Sequence[int]) -> Callable[[int], int]:
    least, most = min(values), max(values)
    lacking = max(0, _LEAST_SPAN - (most - least))
    least -= lacking // 2
    span = max(most - least, _LEAST_SPAN)
    room = HEIGHT - 2 * _EDGE

    def height(value: int) -> int:
        return HEIGHT - _EDGE - (value - least) * room // span

    return height


def _reaches_zero(values: Sequence[int | None]) -> bool:
    known = [value for value in values if value is not None]
    return min(known) < 0 < max(known)


def _path(places: Sequence[Point | None]) -> str:
    """Through the points that there are; one by itself is a dot, by a line of no length."""
    drawn, is_open = [], False
    for nth, place in enumerate(places):
        if place is None:
            is_open = False
            continue
        x, y = place
        drawn.append(f"{'L' if is_open else 'M'}{x} {y}")
        if not is_open and (nth + 1 == len(places) or places[nth + 1] is None):
            drawn.append("h0")
        is_open = True
    return "".join(drawn)
