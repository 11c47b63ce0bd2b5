"""What the proxy puts on top is no cost, and its own authentication decides who is who."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.litellm.proxy import Proxy, running, written
from tests.litellm.test_calls_of_the_proxy import HI, stored

VENDOR = 10 * 2_500 + 20 * 10_000
"""Nanodollars of a mocked chat of gpt-4o: 10 tokens in, 20 out."""

AUTH = '''
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth


async def check(request, api_key):
    """Keys like sk-viewer-team_1-acme: role, team and the customer whose key it is."""
    _, role, team, customer = api_key.split("-")
    roles = {"viewer": LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY}
    return UserAPIKeyAuth(
        api_key=api_key,
        user_id=f"{role}@host.example",
        user_role=roles.get(role, LitellmUserRoles.INTERNAL_USER),
        team_id=team,
        key_alias=f"key of {customer}",
        metadata={"tenant": customer},
    )
'''


async def ask(proxy: Proxy, key: str, words: str, model: str = "chat", **body: Any) -> float:
    async with proxy.client("rival", key) as client:
        completions = client.chat.completions.with_raw_response
        messages = [{**HI[0], "content": words}]
        answer = await completions.create(
            model=model, messages=messages, user="rival", extra_body=body
        )
    return float(answer.headers["x-litellm-response-cost"])


async def test_margins_discounts_cache_hits_and_keys(tmp_path: Path, free_port: int) -> None:
    """Started by the callback and by the hook at once: every call still counts once."""
    (tmp_path / "host_auth.py").write_text(AUTH)
    files = written(
        tmp_path,
        general={"custom_auth": "host_auth.check"},
        plugin={
            "customer": "key_metadata",
            "customer_metadata_key": "tenant",
            "orgs": {"team_2": "org_2"},
        },
        cost_margin_config={"global": {"percentage": 0.25, "fixed_amount": 0.001}},
        cost_discount_config={"openai": 0.1},
        cache=True,
        cache_params={"type": "local"},
    )
    async with running(files, free_port, by_hook=True) as proxy:
        charged = await ask(proxy, "sk-user-team_1-acme", "one")
        assert round(charged * 1e9) == VENDOR * 0.9 * 1.25 + 1_000_000
        await ask(proxy, "sk-user-team_1-acme", "two")
        await ask(proxy, "sk-user-team_1-acme", "two")  # from the cache
        await ask(proxy, "sk-user-team_2-globex", "three", **{"no-log": True})
        await ask(proxy, "sk-user-team_1-acme", "four", "unpriced")

        viewer, path = "sk-viewer-team_1-x", "/margins/api/margins"
        tagged = await proxy.costs_of(4, viewer)
        assert tagged == {"acme": (round(2 * VENDOR * 0.9 / 1000), 4)}
        cost = int(VENDOR * 0.9)
        assert stored(tmp_path) == {"org_1:acme": [0, 0, cost, cost], "org_2:globex": [cost]}
        assert any("no price of model 'openai/a-model-of-our-own'" in line for line in proxy.log)
        assert (await proxy.get(path, "sk-user-team_1-x")).status_code == 401
        assert (await proxy.get(path, "no key of the proxy")).status_code in (401, 503)
        for org, expected in (("org_2", 200), ("org_3", 401)):
            answer = await proxy.get(path, viewer, **{"x-nullspend-org": org})
            assert answer.status_code == expected
