"""What a revenue provider may make of a connect request."""

from __future__ import annotations

from typing import Any, cast

import pytest

from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import SystemClock
from nullspend_margins.services.connections import ConnectionService
from nullspend_margins.services.vault import Vault
from nullspend_margins.storage.database import Database


class Billing:
    """A provider that gives back the token itself."""

    name = "billing"

    async def parse_credential(self, body: Any) -> Any:
        return body["token"]


@pytest.mark.parametrize("method", ["connect", "replace"])
async def test_what_is_no_credential_is_told_with_its_provider_and_never_shown(method: str) -> None:
    registry = Registry(revenue_providers={"billing": cast("Any", Billing())})
    no_database = cast("Database", None)  # it is not asked
    service = ConnectionService(no_database, registry, Vault([bytes(32)]), SystemClock())
    with pytest.raises(TypeError) as caught:
        await getattr(service, method)("org_1", "billing", {"token": "hush-7d1f"})
    assert str(caught.value) == "revenue provider 'billing' parsed a str, not a Credential"
