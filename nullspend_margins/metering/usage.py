"""Model and usage in an answer: OpenAI's three APIs, Anthropic's, and those that are like them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import msgspec

from nullspend_margins.domain.cost import MAX_COUNT, MAX_MODEL
from nullspend_margins.domain.text import printable
from nullspend_margins.metering.excerpt import LIMIT_BYTES, Ends, ends_of

# Within a JSON string the quotes would be escaped, so what a model writes is not taken for it.
USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')
_PATTERNS = {
    b'"model"': re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")'),
    b'"type"': re.compile(rb'"type"\s*:\s*"([a-z_.]*)"'),
    b'"usage"': USAGE,
}
# A client has a say in parts of an answer (a tool it brings, what a model gives to one), and may
# put these names there. So only what stands in the outermost object counts, or in the
# ``response`` of such an event.
_EVENT = re.compile(rb'\s*\{\s*"(?:type"\s*:\s*"response\.|response"\s*:\s*\{)')
_MOST_TRIES = 8
_NEAR = 512
_BYTE_ORDER_MARK = "\ufeff"


class _Details(msgspec.Struct, omit_defaults=True, gc=False):
    """What is known of the tokens on one side, the prompt's or the answer's."""

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


class Found(msgspec.Struct, frozen=True, gc=False):
    """What an answer, or an event of a stream, says of itself.

    A struct: one is made in every call, and a named tuple takes four times as long.
    """

    model: str = ""
    usage: RawUsage | None = None
    type: str = ""


_COUNTS = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")


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
_read_value = json.JSONDecoder().raw_decode


def read(ends: Ends, *, is_event: bool = True) -> Found:
    """What JSON says, whole or of both its ends. Never raises: what is not there is not found.

    Of a large one the type is looked for in an event alone.
    """
    text, tail = ends
    return _read_ends(text, tail, is_event=is_event) if tail else _read_whole(text)


def read_body(body: bytes) -> Found:
    """The same of a body that came in one piece, as most do."""
    if len(body) <= LIMIT_BYTES:
        return _read_whole(body)
    return read(ends_of(body), is_event=False)


def _read_whole(text: bytes) -> Found:
    try:
        answer = _decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _read_leniently(text)
    part = answer.response or answer.message
    if part is None:
        return Found(answer.model or "", answer.usage, answer.type or "")
    return Found(answer.model or part.model or "", answer.usage or part.usage, answer.type or "")


def settled(raw: RawUsage) -> Usage | None:
    """The tokens of either vendor's words; ``None`` when they tell of none."""
    counts = (getattr(raw, name) for name in _COUNTS)
    if all(count is None for count in counts):
        return None
    cached = raw.cache_read_input_tokens
    written = raw.cache_creation_input_tokens
    if raw.prompt_tokens is None and raw.input_tokens is not None:
        # Anthropic's input leaves out what its cache read and wrote; only Anthropic has these.
        entered = raw.input_tokens + (cached or 0) + (written or 0)
        entered_details, left_details = raw.input_tokens_details, raw.output_tokens_details
        left = raw.output_tokens or 0
    else:
        left = (raw.output_tokens if raw.completion_tokens is None else raw.completion_tokens) or 0
        # Some that embed tell the total alone.
        rest = max((raw.total_tokens or 0) - left, 0)
        entered = rest if raw.prompt_tokens is None else raw.prompt_tokens
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


def _read_ends(head: bytes, tail: bytes, *, is_event: bool = True) -> Found:
    """The parts of a large answer that both its ends show."""
    depth = 2 if _EVENT.match(head) else 1
    model = _outermost(b'"model"', head, tail, depth)
    kind = _outermost(b'"type"', head, tail, 1) if is_event else None
    usage = _outermost(b'"usage"', head, tail, depth)
    return Found(
        _string(model[1]) if model else "",
        _usage_at(usage) if usage else None,
        kind[1].decode("ascii") if kind else "",
    )


def _outermost(name: bytes, head: bytes, tail: bytes, depth: int) -> re.Match[bytes] | None:
    """The name and its value, within so many objects.

    Whether they are, JSON tells: it fits to the text beside them.
    """
    opening, closing = b'{"":' * (depth - 1) + b"{", b'"":0' + b"}" * depth
    for match in islice(_from_start(name, head), _MOST_TRIES):
        if _is_json(head[: match.start()] + closing):
            return match
    for match in islice(_from_end(name, tail), _MOST_TRIES):
        if _is_json(opening + tail[match.start() :]):
            return match
    return None


def _from_start(name: bytes, text: bytes) -> Iterator[re.Match[bytes]]:
    # Where a name is not near the start it is mostly nowhere, which this tells in half the time.
    if name in text[:_NEAR] or text.rfind(name) >= 0:
        yield from _PATTERNS[name].finditer(text)


def _from_end(name: bytes, text: bytes) -> Iterator[re.Match[bytes]]:
    place = text.rfind(name)
    while place >= 0:
        if match := _PATTERNS[name].match(text, place):
            yield match
        place = text.rfind(name, 0, place)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text.decode("utf-8", "replace").removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        return False
    return True


def _usage_at(match: re.Match[bytes]) -> RawUsage | None:
    text = match.string[match.end() :].decode("utf-8", "replace")
    try:
        value, _ = _read_value(text)
    except (ValueError, RecursionError):
        return None
    return _usage(value)


def _string(literal: bytes) -> str:
    try:
        return _encodable(json.loads(literal))
    except ValueError:
        return ""


def _encodable(text: str) -> str:
    """Without lone surrogates, which JSON can escape and no journal can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_leniently(text: bytes) -> Found:
    """One field of an unexpected type must not hide the others, nor must ``NaN`` or worse."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return _read_ends(text, text)
    if not isinstance(answer, dict):
        return Found()
    parts = [answer, answer.get("response"), answer.get("message")]
    known = [part for part in parts if isinstance(part, dict)]
    models = (part.get("model") for part in known)
    usages = (_usage(part.get("usage")) for part in known)
    kind = answer.get("type")
    return Found(
        _encodable(next((model for model in models if model and isinstance(model, str)), "")),
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
    # Which of the two kinds a field takes, its name has decided.
    return RawUsage(**found)  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def short(model: str) -> str:
    """A model's name as it may be stored: printable, and not too long."""
    return printable(model[:MAX_MODEL]).strip()
