"""The facts of one call, as they stand in the journal until they are priced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from nullspend_margins.metering.usage import RawUsage

CALL_KIND = "call"
"""What the recorder knows these lines by."""


class Call(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """One answered request. Nothing of what was asked or answered is in it.

    ``usage`` is ``None`` when the answer did not say how many tokens it took. ``cost`` is a cost
    header's text, ``""`` without one; ``is_cache_hit`` costs nothing.
    """

    id: str
    at: datetime
    org: str
    source: str
    customer: str = ""
    tags: Mapping[str, str] = {}
    model: str = ""
    usage: RawUsage | None = None
    cost: str = ""
    is_cache_hit: bool = False


encode_call: Callable[[object], bytes] = msgspec.json.Encoder().encode
decode_call: Callable[[bytes], Call] = msgspec.json.Decoder(Call).decode
