"""Looking at the Connect pages and sending their forms, without a browser."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import httpx

from nullspend_margins import Credential, Principal, ValidationFailed
from nullspend_margins.dashboard.tokens import Tokens
from tests.contract.ledgers import Ledger
from tests.world import ORG, World

CONNECT = "/margins/connect"
STRIPE = f"{CONNECT}/stripe"
OTHER_KEY = "rk_live_zyxwvutsrqponmlkjihgfedcba"
TOKEN = "plain-token-0123456789"


class Plain(Ledger):
    """A provider without a form, which takes one token."""

    async def parse_credential(self, body: object) -> Credential:
        assert isinstance(body, Mapping)
        if body.get("token") != TOKEN:
            raise ValidationFailed.of(("token", "must be a token"))
        return Credential(secret=TOKEN, label="plain...")


def words(page: str) -> str:
    """What people read: no tags, one space between words."""
    text = re.sub(r"<(script|style|noscript)\b.*?</\1>", " ", page, flags=re.DOTALL)
    text = re.sub(r"</?bdi>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


async def look(here: World, path: str = STRIPE, *, role: str = "admin", org: str = ORG) -> str:
    """A page that must be there."""
    answer = await here.call("GET", path, role=role, org=org)
    assert answer.status_code == 200, words(answer.text)
    return answer.text


async def send(
    here: World,
    path: str,
    fields: Mapping[str, str] | None = None,
    *,
    files: Mapping[str, tuple[str, bytes]] | None = None,
    role: str = "admin",
    org: str = ORG,
    token: str | None = None,
) -> httpx.Response:
    """A form, with the token of this person's pages unless another is given."""
    if token is None:
        token = await form_token(here, role=role, org=org)
    data = {"form_token": token, **(fields or {})}
    headers = here.cookie(role, org)
    return await here.http.post(path, data=data, files=files, headers=headers)


async def form_token(here: World, *, role: str = "admin", org: str = ORG) -> str:
    """Of this person, for any form."""
    services = await here.margins.services()
    tokens = Tokens(services.config.session, services.clock)
    return tokens.form_token(Principal(org_id=org, user_id="u1", role=role))


async def followed(here: World, answer: httpx.Response, *, role: str = "admin") -> str:
    """The page that a form leads to, with its notice."""
    assert answer.status_code == 303, words(answer.text)
    cookie = "; ".join(
        [
            *(f"{name}={value}" for name, value in answer.cookies.items()),
            here.cookie(role)["Cookie"],
        ]
    )
    page = await here.http.get(answer.headers["location"], headers={"Cookie": cookie})
    assert page.status_code == 200, words(page.text)
    return page.text
