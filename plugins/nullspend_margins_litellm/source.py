"""The proxy's database as a cost source that is pulled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC
from typing import Literal

import msgspec

from nullspend_margins import Clock, CostBatch, ServiceUnavailable
from nullspend_margins_litellm import daily, spend_logs
from nullspend_margins_litellm.calls import SOURCE
from nullspend_margins_litellm.cursors import decoded
from nullspend_margins_litellm.reading import PAGE_ROWS, PostgresReader, Reader, columns_of
from nullspend_margins_litellm.settings import LiteLLMSettings

_WORDS = {daily.KIND: "daily sums", spend_logs.KIND: "single calls"}


class _Kind(msgspec.Struct, frozen=True):
    kind: Literal["daily", "spend_logs"] | None = None


class LiteLLMTables:
    """Daily sums where there are any and they tell enough, else the single calls.

    Single calls are keyed as the callback keys them, so both together count once. Sums and
    calls would count twice: which of them is read is kept in the cursor, and does not change.
    """

    name: str = SOURCE

    def __init__(
        self,
        settings: LiteLLMSettings,
        *,
        reader: Reader | None = None,
        clock: Clock | None = None,
        page_rows: int = PAGE_ROWS,
    ) -> None:
        if reader is None:
            assert settings.database_url is not None  # noqa: S101 - the plugin has looked
            reader = PostgresReader(settings.database_url)
        self._settings = settings
        self._reader = reader
        self._clock = clock
        self._page_rows = page_rows

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        """Everything after ``cursor``, and again what may have changed before it.

        Raises ``ServiceUnavailable`` when the database does not answer, has no such table, or
        would have to be read in another way than before.
        """
        tables = (daily.TABLE, daily.ALL_CALLS, spend_logs.TABLE)
        columns = await columns_of(self._reader, *tables)
        is_daily = self._settings.reads_daily_sums and bool(columns[daily.TABLE])
        kind = daily.KIND if is_daily else spend_logs.KIND
        _require_same_kind(cursor, kind)
        if is_daily:
            async for batch in self._daily_sums(columns).batches(decoded(cursor, daily.Position)):
                yield batch
        else:
            logs = self._single_calls(columns[spend_logs.TABLE])
            async for batch in logs.batches(decoded(cursor, spend_logs.Position)):
                yield batch

    def _single_calls(self, columns: frozenset[str]) -> spend_logs.SpendLogs:
        now = self._clock.now().astimezone(UTC).replace(tzinfo=None) if self._clock else None
        return spend_logs.SpendLogs(self._reader, self._settings, columns, self._page_rows, now)

    def _daily_sums(self, columns: Mapping[str, frozenset[str]]) -> daily.DailySums:
        settings = self._settings
        return daily.DailySums(self._reader, settings, settings.org or "", columns, self._page_rows)


def _require_same_kind(cursor: str | None, kind: str) -> None:
    before = decoded(cursor, _Kind).kind
    if before not in (None, kind):
        raise ServiceUnavailable(
            f"LiteLLM's costs were read from its {_WORDS[before]} so far; read from its "
            f'{_WORDS[kind]} they would count twice. Set [plugins.litellm] read = "{before}"'
        )
