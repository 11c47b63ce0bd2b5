"""Model and usage in an answer: OpenAI's three APIs, Anthropic's, and those that are like them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from nullspend_margins.domain.cost import MAX_COUNT, MAX_MODEL
from nullspend_margins.domain.text import printable
from nullspend_margins.metering.excerpt import Ends

_MODEL = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
_TYPE = re.compile(rb'"type"\s*:\s*"([a-z_.]*)"')
# Within a JSON string the quotes would be escaped, so what a model writes is not taken for it.
_NAME = b'"usage"'
_USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')


class _Details(msgspec.Struct, omit_defaults=True, gc=False):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class RawUsage(msgspec.Struct, omit_defaults=True, gc=False):
    """``usage`` as servers write it; none has all of these."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None

    def updated(self, later: RawUsage) -> RawUsage:
        """With what ``later`` says: the events of a stream may tell a part each."""
        names = self.__struct_fields__
        found = {name: getattr(later, name) for name in names}
        return RawUsage(
            **{name: getattr(self, name) if new is None else new for name, new in found.items()}
        )


class Usage(NamedTuple):
    """Tokens. ``cached`` and ``cache_write`` are part of ``input``, ``reasoning`` of ``output``."""

    input: int
    cached: int
    cache_write: int
    output: int
    reasoning: int


class Found(NamedTuple):
    """What an answer, or an event of a stream, says of itself."""

    model: str = ""
    usage: RawUsage | None = None
    type: str = ""


class _Part(msgspec.Struct, gc=False):
    model: str | None = None
    usage: RawUsage | None = None


class _Answer(msgspec.Struct, gc=False):
    """A body, or the data of an event; ``response`` and ``message`` are in events alone."""

    type: str | None = None
    model: str | None = None
    usage: RawUsage | None = None
    response: _Part | None = None
    message: _Part | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def read(ends: Ends) -> Found:
    """What JSON says, whole or of both its ends. Never raises: what is not there is not found."""
    text, tail = ends
    if tail:
        return _read_ends(text, tail)
    try:
        answer = _decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _read_leniently(text)
    part = answer.response or answer.message
    if part is None:
        return Found(answer.model or "", answer.usage, answer.type or "")
    return Found(answer.model or part.model or "", answer.usage or part.usage, answer.type or "")


def settled(raw: RawUsage) -> Usage:
    """The tokens of either vendor's words."""
    cached = raw.cache_read_input_tokens
    written = raw.cache_creation_input_tokens
    if raw.prompt_tokens is None and raw.input_tokens is not None:
        # Anthropic's input leaves out what its cache read and wrote; only Anthropic has these.
        entered = raw.input_tokens + (cached or 0) + (written or 0)
        entered_details, left_details = raw.input_tokens_details, raw.output_tokens_details
        left = raw.output_tokens or 0
    else:
        entered, left = raw.prompt_tokens or 0, raw.completion_tokens or 0
        entered_details, left_details = raw.prompt_tokens_details, raw.completion_tokens_details
    if cached is None and entered_details is not None:
        cached = entered_details.cached_tokens
    reasoning = (left_details.reasoning_tokens if left_details is not None else 0) or 0
    if reasoning and raw.total_tokens == entered + left + reasoning:
        left += reasoning  # some vendors count it beside the output
    entered, left = _count(entered), _count(left)
    cached = min(_count(cached or 0), entered)
    return Usage(
        entered,
        cached,
        min(_count(written or 0), entered - cached),
        left,
        min(_count(reasoning), left),
    )


def _count(number: int) -> int:
    return min(max(number, 0), MAX_COUNT)


def _read_ends(head: bytes, tail: bytes) -> Found:
    """The parts of a large answer that both its ends show."""
    model = _MODEL.search(head) or _MODEL.search(tail)
    kind = _TYPE.search(head)
    usage = _last_usage(tail) or _last_usage(head)
    return Found(_string(model[1]) if model else "", usage, kind[1].decode("ascii") if kind else "")


def _last_usage(text: bytes) -> RawUsage | None:
    place = text.rfind(_NAME)
    while place >= 0 and not (found := _USAGE.match(text, place)):
        place = text.rfind(_NAME, 0, place)
    if place < 0 or not found:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text[found.end() :].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return _usage(value)


def _string(literal: bytes) -> str:
    try:
        return str(json.loads(literal))
    except ValueError:
        return ""


def _read_leniently(text: bytes) -> Found:
    """One field of an unexpected type must not hide the others."""
    try:
        answer = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Found()
    if not isinstance(answer, dict):
        return Found()
    parts = [answer, answer.get("response"), answer.get("message")]
    known = [part for part in parts if isinstance(part, dict)]
    models = (part.get("model") for part in known)
    usages = (_usage(part.get("usage")) for part in known)
    kind = answer.get("type")
    return Found(
        next((model for model in models if model and isinstance(model, str)), ""),
        next((usage for usage in usages if usage is not None), None),
        kind if isinstance(kind, str) else "",
    )


def _usage(value: object) -> RawUsage | None:
    if not isinstance(value, Mapping):
        return None
    found: dict[str, int | _Details] = {}
    for name in RawUsage.__struct_fields__:
        given = value.get(name)
        if name.endswith("_details"):
            if isinstance(given, Mapping):
                found[name] = _Details(
                    _whole(given.get("cached_tokens")), _whole(given.get("reasoning_tokens"))
                )
        elif (number := _whole(given)) is not None:
            found[name] = number
    return RawUsage(**found)  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def short(model: str) -> str:
    """A model's name as it may be stored: printable, and not too long."""
    return printable(model[:MAX_MODEL]).strip()
