"""Names of companies and their mail domains, made comparable."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+")
_INITIALS = re.compile(r"\b(?:\w\.){2,}")
_HOST = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62})/?")

_KEPT = 20_000
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class SimplifiedName:
    """``words`` without accents, case and legal form; ``key`` is all of them together.

    ``triples`` are each three letters of ``key`` that follow another, ``numbers`` its digits.
    """

    words: tuple[str, ...]
    key: str
    triples: frozenset[str]
    numbers: tuple[str, ...]


@lru_cache(maxsize=_KEPT)
def simplified(name: str) -> SimplifiedName:
    """``Acme Robotics, Inc.`` and ``acme-robotics`` come to the same."""
    text = _INITIALS.sub(lambda found: found[0].replace(".", ""), name[:_LONGEST_NAME])
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(each for each in parts if not unicodedata.combining(each))
    words = _without_legal_form(_WORD.findall(text.casefold()))
    key = "".join(words)
    return SimplifiedName(
        words=tuple(words),
        key=key,
        triples=frozenset(key[at : at + 3] for at in range(len(key) - 2)),
        numbers=tuple(_NUMBER.findall(key)),
    )


def host_of(text: str) -> str:
    """The host that a text is: of ``acme.io`` and ``https://www.acme.io/``; empty if it is none."""
    found = _HOST.fullmatch(text.strip().casefold())
    return found[1] if found else ""


def mail_domain(email: str) -> str | None:
    """The domain of an address that tells a company: ``None`` for those where anybody has one."""
    _, at, domain = email.strip().casefold().rpartition("@")
    domain = host_of(domain) if at else ""
    if not domain or domain in _FREE_MAIL or company_of_host(domain) in _FREE_MAIL_NAMES:
        return None
    return domain


def company_of_host(host: str) -> str:
    """The part of a host that is somebody's name: ``acme`` of ``billing.acme.co.uk``."""
    labels = host.split(".")[:-1]
    if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
        labels.pop()
    return simplified(labels[-1]).key if labels else ""


def _without_legal_form(words: list[str]) -> list[str]:
    end = len(words)
    while end > 1 and words[end - 1] in _LEGAL_FORMS:
        end -= 1
    return words[1:end] if words[0:1] == ["the"] and end > 1 else words[:end]


def words_of(text: str) -> frozenset[str]:
    """A list of words, written as text."""
    return frozenset(text.split())


_LEGAL_FORMS = words_of(
    """ab ag aps as asa bv bvba co company corp corporation doo eg ev fze fzco gbr gmbh inc
    incorporated jsc kft kg kgaa kk limited llc llp lp ltd ltda mbh nv ohg ooo oy oyj plc pte pty
    pvt sa sab sarl sas se sl slu sp spa sprl srl sro ug zoo"""
)
_SECOND_LEVEL = words_of("ac co com edu gob gov ltd me ne net nom or org plc")
_FREE_MAIL_NAMES = words_of(
    "gmail googlemail hotmail outlook yahoo ymail rocketmail gmx protonmail yandex"
)
"""Providers of mailboxes for everybody that have domains in many countries."""
_FREE_MAIL = words_of(
    """126.com 163.com aim.com aol.com aon.at arcor.de att.net bellsouth.net bigpond.com
    bluewin.ch bol.com.br btinternet.com charter.net comcast.net cox.net daum.net duck.com
    earthlink.net email.cz fastmail.com fastmail.fm foxmail.com free.fr freenet.de hanmail.net
    hey.com hushmail.com icloud.com inbox.lv inbox.ru interia.pl iol.it laposte.net libero.it
    list.ru live.ca live.co.uk live.com live.de live.fr live.nl mac.com mail.com mail.de mail.ee
    mail.ru me.com msn.com naver.com o2.pl onet.pl optusnet.com.au orange.fr passport.com
    pm.me posteo.de privaterelay.appleid.com proton.me protonmail.ch qq.com rambler.ru
    rediffmail.com relay.firefox.com sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com
    sohu.com sympatico.ca t-online.de talktalk.net telenet.be terra.com.br tiscali.it tuta.com
    tuta.io tutanota.com ukr.net uol.com.br verizon.net virgilio.it virginmedia.com wanadoo.fr
    web.de wp.pl ya.ru zoho.com"""
)
