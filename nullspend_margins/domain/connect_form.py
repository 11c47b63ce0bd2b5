"""What a person is asked for to connect to a revenue provider, as the provider tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from nullspend_margins.domain.fields import string_problem
from nullspend_margins.domain.revenue_part import BASES, Basis, bases_problem
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.errors import ValidationFailed

FieldKind = Literal["text", "url", "choice", "file", "paragraph"]
FIELD_KINDS: tuple[FieldKind, ...] = get_args(FieldKind)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_URL = re.compile(r"https?://[!-~]+")
_MAX_WORDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectField:
    """One member of a connect request's JSON body: always a string.

    ``name`` is its key there, ``label`` what people read. ``kind``: a line of ``text``, a ``url``,
    one of ``options`` (``choice``), the content of a text ``file`` in UTF-8, or a ``paragraph`` of
    several lines. ``secret``: a line, be it a URL, is hidden while it is typed, and no field of
    any kind is shown again. ``options`` are (value, label); ``accept`` is which files are offered
    (``.csv,text/csv``). One that is not ``required`` is left out when it is empty.
    """

    name: str
    """Its key in the body: 1 to 64 letters, digits, dots, ``-`` and ``_``, a letter first."""
    label: str
    """What people read above it, 1 to 1,000 characters."""
    kind: FieldKind = "text"
    """``text``, ``url``, ``choice``, ``file`` or ``paragraph``."""
    secret: bool = False
    """What is typed is hidden, and never shown again."""
    required: bool = True
    """Whether it must be filled in; else it is left out when it is empty."""
    help: str = ""
    """A sentence below it, 1,000 characters at most; so are the two below."""
    placeholder: str = ""
    """What an empty line shows of the form of its value, as ``acme_...``; no value itself."""
    options: Sequence[tuple[str, str]] = ()
    """The values of a ``choice`` with what people read, and nothing of any other kind."""
    accept: str = ""
    """Which files a ``file`` offers, as HTML's ``accept`` has it; every file can be sent."""

    def __post_init__(self) -> None:
        found = _name_problems(self.name) + _word_problems(self, ("label",))
        found += _word_problems(self, ("help", "placeholder", "accept"), at_least=0)
        if self.kind not in FIELD_KINDS:
            found.append(("kind", f"must be one of {', '.join(FIELD_KINDS)}"))
        if (self.kind == "choice") != bool(self.options):
            found.append(("options", "belong to a choice, and to nothing else"))
        _require(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectWay:
    """One of the ways to connect, with fields of its own: a file, say, or the URL of one."""

    name: str
    """Unique among the ways of a form; formed as a field's."""
    label: str
    """What people choose it by, 1 to 1,000 characters."""
    fields: Sequence[ConnectField]
    """One at least; together they are the JSON body of a connect request."""
    help: str = ""
    """What to know before one takes this way, 1,000 characters at most."""

    def __post_init__(self) -> None:
        found = _name_problems(self.name) + _word_problems(self, ("label",))
        found += _word_problems(self, ("help",), at_least=0)
        found += _list_problems("fields", self.fields, ConnectField, at_least=1)
        _require(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectPermission:
    """Something that a credential should be allowed to read.

    ``name`` is the provider's own, as ``RevenueGap`` and ``PermissionMissing`` have it; ``label``
    is what stands in the provider's list of them; ``purpose`` says in a sentence what it is for;
    ``bases`` are those that are not exact without it. ``needed``: there is no sync without it.
    """

    name: str
    """The provider's own name for it, 1 to 256 characters."""
    label: str
    """What it is called where a credential is made, 1 to 1,000 characters."""
    purpose: str
    """A sentence that says what it is for, 1 to 1,000 characters."""
    bases: Sequence[Basis] = BASES
    """The bases of revenue that are not exact without it."""
    needed: bool = False
    """Without it there is no sync at all."""

    def __post_init__(self) -> None:
        found = _word_problems(self, ("label", "purpose"))
        if problem := string_problem(self.name, 1, MAX_TEXT):
            found.append(("name", problem))
        if problem := bases_problem(self.bases):
            found.append(("bases", problem))
        _require(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectLink:
    """A page of the provider where a credential is made, with its permissions ticked."""

    label: str
    """What people click on, 1 to 1,000 characters."""
    url: str
    """``https://`` or ``http://``, ASCII, 2,048 characters at most."""

    def __post_init__(self) -> None:
        found = _word_problems(self, ("label",))
        if not isinstance(self.url, str) or not _URL.fullmatch(self.url) or len(self.url) > 2048:
            found.append(("url", "must be https://... or http://..., in ASCII"))
        _require(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectForm:
    """How people connect to a provider: ``connect_form`` of a ``RevenueProvider``.

    ``title`` is the provider's name for people (``Stripe``), ``credential`` what its credential
    is called (``restricted key``), ``about`` a sentence of what it brings, ``intro`` what to do.
    Of several ``ways`` a person takes one. ``links`` lead to where a credential is made, the best
    one first. Texts are plain; every part checks itself and raises ``ValidationFailed``.
    """

    title: str
    """The provider's name for people, 1 to 1,000 characters."""
    ways: Sequence[ConnectWay]
    """One at least, each with a name of its own."""
    credential: str = "credential"
    """What its credential is called within a sentence."""
    about: str = ""
    """What it brings, in a sentence; up to 1,000 characters, as ``intro``."""
    intro: str = ""
    """What to do, above the fields."""
    permissions: Sequence[ConnectPermission] = ()
    """What the credential should be allowed to read, each named once."""
    links: Sequence[ConnectLink] = ()
    """Where a credential is made, the best one first."""

    def __post_init__(self) -> None:
        found = _word_problems(self, ("title", "credential"))
        found += _word_problems(self, ("about", "intro"), at_least=0)
        found += _list_problems("ways", self.ways, ConnectWay, at_least=1)
        found += _list_problems("permissions", self.permissions, ConnectPermission)
        found += _list_problems("links", self.links, ConnectLink, key="url")
        _require(found)


def title_of(provider: object, name: str) -> str:
    """What people call a provider: the title of its form, ``name`` without one or without it."""
    form: object = getattr(provider, "connect_form", None)
    return form.title if isinstance(form, ConnectForm) else name


_Problems = list[tuple[str, str]]


def _name_problems(name: object) -> _Problems:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return []
    return [("name", "must be 1 to 64 letters, digits, dots, - and _, a letter first")]


def _word_problems(part: object, names: Iterable[str], *, at_least: int = 1) -> _Problems:
    problems = ((name, string_problem(getattr(part, name), at_least, _MAX_WORDS)) for name in names)
    return [(name, problem) for name, problem in problems if problem is not None]


def _list_problems(
    name: str, found: Sequence[object], kind: type, *, at_least: int = 0, key: str = "name"
) -> _Problems:
    if isinstance(found, str) or not all(isinstance(each, kind) for each in found):
        return [(name, f"must be {kind.__name__}s")]
    if len(found) < at_least:
        return [(name, "must not be empty")]
    names = [getattr(each, key) for each in found]
    return [] if len(set(names)) == len(names) else [(name, f"must not have one {key} twice")]


def _require(found: _Problems) -> None:
    if found:
        raise ValidationFailed.of(*found)
