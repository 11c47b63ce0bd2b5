"""Whose cost a call is: what a host says, or what trusted headers say; never the client."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, product

from nullspend_margins.config import MeteringSettings
from nullspend_margins.domain.cost import MAX_TAG_KEY, MAX_TAGS
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.text import text_problem

Header = tuple[bytes, bytes]

_MOST_DASHES = 8
_CUSTOMERS_REMEMBERED = 1_024

_log = logging.getLogger("nullspend_margins.metering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Whose cost a call is.

    ``customer`` is the host's own name for the customer (the tag value), ``""`` for nobody;
    ``org_id`` is for hosts of several orgs, ``None`` is ``[metering] org``; ``tags`` are stored
    with the event, at most ten. Raises ``ValueError`` for what could not be stored.
    """

    customer: str = ""
    """The tag value, 256 characters at most; ``""`` is nobody."""
    org_id: str | None = None
    """1 to 256 characters; ``None`` is ``[metering] org``."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Stored with the event: ten at most, keys of 1 to 64 characters, values of 256 at most."""

    def __post_init__(self) -> None:
        _require("customer", self.customer, at_least=0)
        if self.org_id is not None:
            _require("org_id", self.org_id, at_least=1)
        object.__setattr__(self, "tags", dict(self.tags))
        if len(self.tags) > MAX_TAGS:
            raise ValueError(f"Attribution.tags must be at most {MAX_TAGS}")
        for key, value in self.tags.items():
            _require("tags", key, at_least=1, at_most=MAX_TAG_KEY)
            _require(f"tags[{key!r}]", value, at_least=0)


def _require(name: str, value: object, *, at_least: int, at_most: int = 256) -> None:
    if not isinstance(value, str):
        raise ValueError(f"Attribution.{name} must be a str, not {type(value).__name__}")  # noqa: TRY004 - one error for whoever calls
    if problem := text_problem(value, at_least=at_least, at_most=at_most):
        raise ValueError(f"Attribution.{name} {problem}")


NOBODY = Attribution()


class CustomerHeaders:
    """The headers that name customers: which are believed, which the app below may see."""

    def __init__(self, settings: MeteringSettings) -> None:
        names = [name.encode("ascii") for name in settings.customer_headers]
        self._first = names[0] if names else None
        self._trusted = {
            name: place
            for place, name in enumerate(names)
            if name.decode("ascii") in settings.trusted_headers
        }
        # The same customers call again and again.
        self._told = lru_cache(_CUSTOMERS_REMEMBERED)(self._read_believed)
        # Some gateways read "_" as "-": written so, a header is known, but never believed.
        self._known = frozenset(spelt for name in names for spelt in _spellings(name))
        self._has_told = False

    def read(
        self, headers: Sequence[Header], given: Attribution | None
    ) -> tuple[Attribution, list[Header]]:
        """Whose a request with these headers is, and the headers that the app below gets.

        ``given`` is what the host said; then no header counts. The customer stands under the
        first of the names below.
        """
        known, count = self._known, 0
        for pair in headers:
            name = pair[0].lower()
            if name in known:
                count += 1
                found = name, pair
        kept = [*headers]
        believed: tuple[Header, ...] = ()
        if count == 1:  # nearly always: no need to look at all of them again
            name, pair = found
            kept.remove(pair)
            if name in self._trusted:
                believed = ((name, pair[1]),)
        elif count:
            kept, believed = self._sorted_out(headers)
        if given is not None:
            kept += self._under_first(given.customer)
            return given, kept
        if not believed or (len(believed) > 1 and self._is_doubtful(believed)):
            return NOBODY, kept
        attribution, told = self._told(believed)
        kept += told
        return attribution, kept

    def _sorted_out(self, headers: Sequence[Header]) -> tuple[list[Header], tuple[Header, ...]]:
        """The headers that name nobody, and those that are believed, the first one first."""
        kept: list[Header] = []
        naming: dict[Header, None] = {}  # each once, however often a client repeats it
        for pair in headers:
            name = pair[0].lower()
            if name not in self._known:
                kept.append(pair)
            elif name in self._trusted:
                naming[name, pair[1]] = None
        return kept, tuple(sorted(naming, key=lambda pair: self._trusted[pair[0]]))

    def _read_believed(self, believed: tuple[Header, ...]) -> tuple[Attribution, list[Header]]:
        """What trusted headers say, and how the app below gets it."""
        attribution = _attribution(believed)
        if believed[0][0] == self._first:
            return attribution, [*believed]
        return attribution, [*believed, *self._under_first(attribution.customer)]

    def _under_first(self, customer: str) -> list[Header]:
        """The customer under the first name; tags have no place for it."""
        if customer and self._first is not None and not _holds_tags(self._first):
            return [(self._first, customer.encode("utf-8"))]
        return []

    def _is_doubtful(self, believed: Sequence[Header]) -> bool:
        """One name with two values: nobody is to choose between them. Told once."""
        twice = next((two for (one, _), (two, _) in pairwise(believed) if one == two), None)
        if twice is not None and not self._has_told:
            self._has_told = True
            _log.warning(
                "requests come with two values of the trusted header %s, and their costs are "
                "nobody's: whatever sets it must replace what a client sent, not add to it",
                twice.decode("ascii"),
            )
        return twice is not None


def _attribution(believed: tuple[Header, ...]) -> Attribution:
    """What trusted headers say, the first one first."""
    customer = next(filter(None, (_customer(*header) for header in believed)), "")
    tags = next((_tags(value) for name, value in believed if _holds_tags(name)), {})
    return Attribution(customer=customer, tags=tags)


def _spellings(name: bytes) -> list[bytes]:
    """``a-b`` and ``a_b``; of a name with very many dashes only the two extremes."""
    parts = name.split(b"-")
    if len(parts) > _MOST_DASHES:
        return [name, name.replace(b"-", b"_")]
    spelt = []
    for joints in product(b"-_", repeat=len(parts) - 1):
        pairs = zip(joints, parts[1:], strict=True)
        spelt.append(parts[0] + b"".join(bytes([joint]) + part for joint, part in pairs))
    return spelt


def _holds_tags(name: bytes) -> bool:
    return name.endswith(b"-tags")


def _customer(name: bytes, value: bytes) -> str:
    """The customer in a header, ``""`` when there is none that could be stored."""
    found = _tags(value).get(CUSTOMER_TAG_KEY, "") if _holds_tags(name) else _text(value)
    return found if found and not text_problem(found) else ""


def _tags(value: bytes) -> dict[str, str]:
    """A JSON object of strings, or ``key=value`` pairs with commas between; what fits of it."""
    text = _text(value)
    pairs: Mapping[object, object]
    if text.startswith("{"):
        try:
            pairs = json.loads(text)
        except (ValueError, RecursionError):
            return {}
    else:
        parts = (part.partition("=") for part in text.split(","))
        pairs = {key.strip(): value.strip() for key, joint, value in parts if joint}
    fitting = [
        (key, value)
        for key, value in pairs.items()
        if isinstance(key, str)
        and isinstance(value, str)
        and not text_problem(key, at_most=MAX_TAG_KEY)
        and not text_problem(value, at_least=0)
    ]
    fitting.sort(key=lambda pair: pair[0] != CUSTOMER_TAG_KEY)  # it is never one too many
    return dict(fitting[:MAX_TAGS])


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8").strip()
    except UnicodeDecodeError:
        return value.decode("latin-1").strip()
