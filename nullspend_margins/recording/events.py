"""The kind ``event``: a whole cost event as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

import msgspec

from nullspend_margins.domain.cost import CostEvent
from nullspend_margins.recording.storing import Recorded

EVENT = "event"


class _Line(msgspec.Struct, frozen=True):
    org: str
    source: str
    event: CostEvent


def _plain(value: object) -> object:
    """A mapping of the host's own kind as a dict."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a cost event cannot hold a {type(value).__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder = msgspec.json.Decoder(_Line)


def encode_event(org_id: str, source: str, event: CostEvent) -> bytes:
    """The body of a line."""
    if event.occurred_at.tzinfo is not UTC:
        # JSON has whole minutes of offset, and places once had others.
        event = replace(event, occurred_at=event.occurred_at.astimezone(UTC))
    return _encoder.encode(_Line(org_id, source, event))


def read_event(body: bytes) -> Recorded:
    """The event. Raises ``msgspec.MsgspecError`` and ``ValidationFailed``."""
    line = _decoder.decode(body)
    return Recorded(org_id=line.org, source=line.source, event=line.event)
