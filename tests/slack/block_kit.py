"""The rules of Block Kit that our messages touch, as Slack enforces them.

From https://docs.slack.dev/reference/block-kit (blocks ``header``, ``section``, ``context``, the
text object) and https://docs.slack.dev/messaging/formatting-message-text. Lengths are counted in
UTF-16 code units, which is never less than what Slack may count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

_MESSAGE = {"text", "blocks", "mrkdwn", "unfurl_links", "unfurl_media"}
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
_LINK = re.compile(r"<(https?://[^<>|\s]+)\|([^<>|]+)>")


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def problems(message: Any) -> list[str]:
    """What Slack would refuse, or show otherwise than it is meant; empty when nothing."""
    if not isinstance(message, Mapping):
        return ["a message must be an object"]
    found = [f"{key}: unknown" for key in set(message) - _MESSAGE]
    found += _text("text", message.get("text"), most=3000)
    blocks = message.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 50:
        return [*found, "blocks: must be a list of 1 to 50"]
    for index, block in enumerate(blocks):
        checks = {"header": _header, "section": _section, "context": _context}
        check = checks.get(block.get("type"))
        where = f"blocks[{index}]"
        found += check(where, block) if check else [f"{where}: unknown type"]
    return found


def _header(where: str, block: Mapping[str, Any]) -> list[str]:
    return [
        *_keys(where, block, {"type", "text"}),
        *_object(f"{where}.text", block.get("text"), {"plain_text"}, most=150),
    ]


def _section(where: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(where, block, {"type", "text", "fields"})
    if "text" not in block and "fields" not in block:
        found.append(f"{where}: needs text or fields")
    if "text" in block:
        found += _object(f"{where}.text", block["text"], most=3000)
    fields = block.get("fields", [{"type": "plain_text", "text": "none"}])
    if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
        return [*found, f"{where}.fields: must be a list of 1 to 10"]
    for index, field in enumerate(fields):
        found += _object(f"{where}.fields[{index}]", field, most=2000)
    return found


def _context(where: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(where, block, {"type", "elements"})
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        return [*found, f"{where}.elements: must be a list of 1 to 10"]
    for index, element in enumerate(elements):
        found += _object(f"{where}.elements[{index}]", element, most=3000)
    return found


def _object(
    where: str, value: Any, kinds: Collection[str] = ("plain_text", "mrkdwn"), *, most: int
) -> list[str]:
    if not isinstance(value, Mapping) or value.get("type") not in kinds:
        return [f"{where}: must be a text object"]
    flag = "emoji" if value["type"] == "plain_text" else "verbatim"
    found = _keys(where, value, {"type", "text", flag})
    if not isinstance(value.get(flag, True), bool):
        found.append(f"{where}.{flag}: must be true or false")
    text = value.get("text")
    if value["type"] == "mrkdwn" and isinstance(text, str):
        text = _LINK.sub(r"\2", text)
    return found + _text(f"{where}.text", text, most=most)


def _text(where: str, text: Any, *, most: int) -> list[str]:
    if not isinstance(text, str) or not 1 <= length(text) <= most:
        return [f"{where}: must have 1 to {most} characters"]
    found = [f"{where}: holds an unescaped {each}" for each in "<>" if each in text]
    found += [f"{where}: holds an unescaped &"] if _ENTITY.search(text) else []
    return found


def _keys(where: str, value: Mapping[str, Any], known: set[str]) -> list[str]:
    return [f"{where}.{key}: unknown" for key in set(value) - known]


def shown(text: str) -> str:
    """A text as people see it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
