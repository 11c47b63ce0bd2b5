"""Whose call is it? What the proxy knows of it, and what of that is believed.

A client must not choose whose cost it is. The proxy itself takes the end user from its own
authentication, else from headers, else from the body, and does not say which it was. Headers are
settled before they reach the proxy (``headers``): the one that is left is believed. A value that
stands in the body is not, unless ``trust_body`` says so.

Headers are bytes, and clients write names in UTF-8. The proxy reads Latin-1, so it knows ``Łódź``
as ``Å\\x81Ã³dÅº``, in its records too. It keeps its own spelling, by which it finds budgets; what
the product stores is the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from json import JSONDecodeError, loads
from typing import Any

from nullspend_margins_litellm.settings import LiteLLMSettings

CUSTOMER_HEADER = "x-litellm-customer-id"
"""The first place where the proxy looks for the end user."""
MAX_CUSTOMER = 256

_OF_KEY = {
    "key_alias": "user_api_key_alias",
    "team_id": "user_api_key_team_id",
    "team_alias": "user_api_key_team_alias",
    "user_id": "user_api_key_user_id",
    "organization_id": "user_api_key_org_id",
}
# Control characters and lone surrogates; a blank or a joiner within a name is part of it.
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_OF_KEY_HASH = re.compile(r"[0-9a-f]{64}|litellm_proxy_master_key")
_NOTHING: Mapping[str, Any] = {}


def customer_of(metadata: Mapping[str, Any], end_user: str, settings: LiteLLMSettings) -> str:
    """The customer of a call, ``""`` for nobody.

    ``metadata`` is what the proxy keeps of the key and its team, ``end_user`` one that may be
    believed.
    """
    if settings.customer == "end_user":
        return end_user
    if settings.customer == "key_metadata":
        own = mapping_of(metadata.get("user_api_key_auth_metadata"))
        return tidy(own.get(settings.customer_metadata_key))
    return tidy(metadata.get(_OF_KEY[settings.customer]))


def end_user_of(
    metadata: Mapping[str, Any], request: Mapping[str, Any], settings: LiteLLMSettings
) -> str:
    """The end user that the proxy has found, as it spells it, if it is to be believed, else ``""``.

    ``request`` is its ``proxy_server_request``, with ``headers`` and ``body``.
    """
    found = metadata.get("user_api_key_end_user_id")
    name = tidy(found)
    if not name:
        return ""
    header = str(mapping_of(request.get("headers")).get(CUSTOMER_HEADER, ""))
    if header.strip() == str(found).strip():
        return header  # the proxy takes the last byte of "à" for a blank
    return str(found) if _is_believed(name, request.get("body"), settings) else ""


def _is_believed(name: str, body: object, settings: LiteLLMSettings) -> bool:
    """Whether a name that no header has does not come from the body, or may."""
    if settings.trust_body:
        return True
    if not isinstance(body, Mapping) or _is_overwritten(body):
        return False  # where it came from can't be told
    return name not in _named_in(body)


def tidy(value: object) -> str:
    """A customer's name as the product takes it; ``""`` for what can't be one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = _in_utf8(str(value)).strip()
    return text if len(text) <= MAX_CUSTOMER and not _UNSTORABLE.search(text) else ""


def _in_utf8(text: str) -> str:
    """``text`` as it was meant, if it is UTF-8 that was read as Latin-1."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def mapping_of(value: object) -> Mapping[str, Any]:
    """``value`` if it is a mapping, or a JSON object as text; else an empty one."""
    if isinstance(value, str):
        try:
            value = loads(value)
        except (JSONDecodeError, RecursionError):
            return _NOTHING
    return value if isinstance(value, Mapping) else _NOTHING


def _is_overwritten(body: Mapping[str, Any]) -> bool:
    """Whether the proxy has put the key's hash in the place of ``user`` (its setting
    ``overwrite_user_with_key_hash``), having read the end user from there.
    """
    user = body.get("user")
    return isinstance(user, str) and _OF_KEY_HASH.fullmatch(user) is not None


def _named_in(body: Mapping[str, Any]) -> set[str]:
    """Everywhere in a body where the proxy looks for the end user."""
    places = (
        body.get("user"),
        mapping_of(body.get("litellm_metadata")).get("user"),
        mapping_of(body.get("metadata")).get("user_id"),
        body.get("safety_identifier"),
    )
    return {tidy(each) for each in places}
