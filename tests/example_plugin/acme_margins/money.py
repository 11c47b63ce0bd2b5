"""What was spent and what was earned; with Acme, all of it is in JSON files."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from nullspend_margins import (
    CostBatch,
    CostEvent,
    Credential,
    CredentialRefused,
    ModelCost,
    MonthCost,
    Period,
    ProviderUnavailable,
    RevenueFact,
    RevenueWindow,
    ServiceUnavailable,
    TagCost,
    ValidationFailed,
)

_TOKEN = re.compile(r"acme_[\w-]{1,100}", re.ASCII)


async def _text_of(file: Path) -> str:
    """Reading blocks, so a thread does it."""
    try:
        return await asyncio.to_thread(file.read_text)
    except (OSError, ValueError) as problem:
        raise ServiceUnavailable(f"Acme's {file.name} cannot be read.") from problem


def _json_of(text: str, file: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise ServiceUnavailable(f"Acme's {file.name} is damaged.") from problem


class AcmeExport:
    """Pulled: a file of JSON lines that only grows. The cursor counts the lines read."""

    name = "acme-export"

    def __init__(self, file: Path) -> None:
        self._file = file

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        lines = (await _text_of(self._file)).splitlines()
        for number in range(int(cursor or 0), len(lines)):
            row = _json_of(lines[number], self._file)
            moment = datetime.fromisoformat(row["at"])
            event = CostEvent(**row["event"], provider="acme", occurred_at=moment)
            yield CostBatch(org_id=row["org"], events=[event], cursor=str(number + 1))


class AcmeWarehouse:
    """Aggregating: rows of (org, customer, day, model, nanodollars, requests), read every time.

    One (customer, month) or model may come several times: the product adds them up.
    """

    name = "acme-warehouse"

    def __init__(self, file: Path) -> None:
        self._file = file

    async def month_costs(self, org_id: str, first: Period, last: Period) -> Sequence[MonthCost]:
        rows = [(row, Period.parse(row["day"][:7]).index) for row in await self._rows(org_id)]
        return [
            MonthCost(row["customer"], month, row["nanodollars"])
            for row, month in rows
            if first.index <= month <= last.index
        ]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> list[ModelCost]:
        return [
            ModelCost(row["model"], row["nanodollars"], row["requests"])
            for row in await self._rows(org_id)
            if row["customer"] == tag_value and row["day"].startswith(str(period))
        ]

    async def tag_costs(self, org_id: str, since: date) -> list[TagCost]:
        return [
            TagCost(row["customer"], row["nanodollars"], row["requests"])
            for row in await self._rows(org_id)
            if row["day"] >= since.isoformat()
        ]

    async def _rows(self, org_id: str) -> list[dict[str, Any]]:
        rows = _json_of(await _text_of(self._file), self._file)
        return [row for row in rows if row["org"] == org_id]


class AcmeBilling:
    """Revenue: for each token, the invoices it may read."""

    name = "acme"

    def __init__(self, file: Path, page_size: int) -> None:
        self._file = file
        self._page_size = page_size

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        token = body.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise ValidationFailed.of(("token", "must be an Acme token: acme_..."))
        return Credential(secret=token, label="acme_...")

    async def check_credential(self, secret: str) -> None:
        await self._invoices(secret)

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return any(each["customer_id"] == customer_id for each in await self._invoices(secret))

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[list[RevenueFact]]:
        invoices = await self._invoices(secret)
        for start in range(0, len(invoices), self._page_size):
            page = [
                RevenueFact(**{**each, "occurred_at": datetime.fromisoformat(each["occurred_at"])})
                for each in invoices[start : start + self._page_size]
            ]
            yield [each for each in page if Period.containing(each.occurred_at) in window.periods]

    async def _invoices(self, secret: str) -> list[dict[str, Any]]:
        try:
            accounts = _json_of(await _text_of(self._file), self._file)
        except ServiceUnavailable as problem:
            raise ProviderUnavailable("Acme's invoices cannot be read.") from problem
        if secret not in accounts:
            raise CredentialRefused("Acme does not know this token.")
        return list(accounts[secret])
