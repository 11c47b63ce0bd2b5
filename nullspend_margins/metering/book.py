"""Where calls are entered: facts made into a line, and the line handed to the recorder."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nullspend_margins.config import MeteringSettings
from nullspend_margins.domain.cost import MAX_MODEL
from nullspend_margins.metering.attribution import Attribution
from nullspend_margins.metering.call import CALL_KIND, Call, encode_call
from nullspend_margins.metering.ids import new_id
from nullspend_margins.metering.usage import Found
from nullspend_margins.protocols import Clock

Append = Callable[[str, bytes], bool]
"""The recorder's: kind and body of a line; whether it was taken."""

_MAX_COST_TEXT = 64

_log = logging.getLogger("nullspend_margins.metering")


class Book:
    """The calls of one middleware. ``watched`` are the response headers it needs."""

    def __init__(
        self, settings: MeteringSettings, append: Append, clock: Clock, watched: frozenset[bytes]
    ) -> None:
        self.cost_headers: list[bytes] = [name.encode("ascii") for name in settings.cost_headers]
        self.watched: frozenset[bytes] = watched | frozenset(self.cost_headers)
        self._org, self._source = settings.org, settings.source
        self._append = append
        self._now = clock.now
        self._has_told = False

    def enter(
        self, attribution: Attribution, found: Found | None, *, cost: str, is_cache_hit: bool
    ) -> None:
        """Count a call, for good: once this returns, killing the process loses nothing.

        ``found`` is ``None`` for an answer that cannot be read because it is compressed.
        """
        if found is None:
            found = Found()
            if not cost:
                self._tell_of_compression()
        call = Call(
            # Ours, never a header's: whoever could repeat an id would call for nothing.
            id=new_id(),
            at=self._now(),
            org=attribution.org_id or self._org,
            source=self._source,
            customer=attribution.customer,
            tags=attribution.tags,
            model=found.model[:MAX_MODEL],
            usage=found.usage,
            cost=cost[:_MAX_COST_TEXT],
            is_cache_hit=is_cache_hit,
        )
        self._append(CALL_KIND, encode_call(call))

    def _tell_of_compression(self) -> None:
        if not self._has_told:
            self._has_told = True
            _log.warning(
                "responses reach the metering compressed, so that their usage cannot be read and "
                "they count as unpriced: put the compression around the metering, or take it off "
                "the metered paths"
            )
