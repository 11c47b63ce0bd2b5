"""Foreign text in a Slack message: it stays text, and fits.

Slack decodes ``&amp;``, ``&lt;`` and ``&gt;`` in every text, and takes ``<...>`` for links and
mentions; nothing else needs to be escaped
(https://docs.slack.dev/messaging/formatting-message-text).
"""

from __future__ import annotations

from collections.abc import Mapping

PlainText = Mapping[str, object]

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MORE = "…"


def escaped(text: str) -> str:
    """``text`` as Slack shows it, in one line; what can't be seen becomes a space.

    That includes the characters that turn the direction of writing around.
    """
    visible = "".join(each if each.isprintable() else " " for each in text)
    return visible.translate(_ENTITIES)


def plain_text(text: str, most: int) -> PlainText:
    """A text object that is shown as it is: no links, mentions, emphasis or emoji names."""
    return {"type": "plain_text", "text": text_within(text, most), "emoji": False}


def text_within(text: str, most: int) -> str:
    """``text`` escaped, and cut so that it has at most ``most`` characters then.

    Characters are counted as JavaScript does (an emoji is two), which is never less.
    """
    whole = escaped(text)
    if _length(whole) <= most:
        return whole
    taken, room = [], most - 1
    for each in map(escaped, text):
        room -= _length(each)
        if room < 0:
            break
        taken.append(each)
    return "".join(taken) + _MORE


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
