"""What tests of the matching page share: an org's data, and a person who fills in forms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import httpx

from tests.world import World, unix

MATCHING = "/margins/matching"


async def customers(here: World, *named: tuple[str, str], connect: bool = True) -> None:
    """Customers with an id and a name, the first with the most revenue, after a sync."""
    for at, (customer_id, name) in enumerate(named):
        here.account.add_customer(customer_id, name=name, email=f"billing@{customer_id}.example")
        cents = (len(named) - at) * 10_000
        here.account.add_invoice(customer_id, cents, created=unix(2026, 11, 2))
    if connect:
        await here.connect()
        await here.sync()


async def mapped(here: World) -> dict[str, tuple[str, str]]:
    """Tag value and match type by customer."""
    found = await here.get("/api/customer-mappings")
    return {each["stripeCustomerId"]: (each["tagValue"], each["matchType"]) for each in found}


async def everything(here: World) -> str:
    """Every mapping with its id, age and confidence, and what was turned down."""
    services = await here.margins.services()
    rejected = (await services.margins.unmatched("org_1")).rejected
    listed = sorted(
        await here.get("/api/customer-mappings"), key=lambda each: each["stripeCustomerId"]
    )
    return json.dumps([listed, sorted(rejected)], indent=1)


async def matches(here: World, *ids: str) -> None:
    """Customers whose ids are tag values: a sync matches them by itself."""
    for customer_id in ids:
        await here.spend(customer_id, 1_000)
    await customers(here, *((customer_id, f"Name {customer_id}") for customer_id in ids))


@dataclass
class Form:
    """A form of a page. ``buttons`` are (name, value, text) of each."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """Finds a page's forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._button: tuple[str, str] | None = None
        self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(found["action"])
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None and found.get("type") != "file":
            self._form.fields.append((found["name"], found.get("value", "")))
        elif tag == "button" and self._form is not None:
            self._button = found.get("name", ""), found.get("value", "")
            self._text = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button" and self._form is not None and self._button is not None:
            self._form.buttons.append((*self._button, " ".join(self._text.split())))

    def handle_data(self, data: str) -> None:
        self._text += data


@dataclass
class Browser:
    """A person without scripts: keeps cookies, follows redirects, presses buttons."""

    here: World
    role: str = "admin"
    org: str = "org_1"
    cookies: dict[str, str] = field(default_factory=dict)
    page: str = ""

    async def open(self, path: str = MATCHING) -> httpx.Response:
        """Look at a page."""
        return await self._request("GET", path)

    async def press(self, button: str, **typed: str) -> httpx.Response:
        """Press the one button that begins with these words, in a form with these fields filled."""
        form, (name, value, _) = self.button(button, typed)
        fields = [each for each in form.fields if each[0] not in typed] + [*typed.items()]
        return await self.send(form.action, [*fields, *([(name, value)] if name else [])])

    def button(self, text: str, typed: Mapping[str, str] = {}) -> tuple[Form, tuple[str, str, str]]:
        """The one form and button that ``press`` would press."""
        found = [
            (form, button)
            for form in Forms(self.page).forms
            for button in form.buttons
            if button[2].startswith(text) and typed.keys() <= {name for name, _ in form.fields}
        ]
        assert len(found) == 1, (text, [button for _, button in found])
        return found[0]

    async def send(
        self, path: str, fields: list[tuple[str, str]], **headers: str
    ) -> httpx.Response:
        """A form's fields."""
        body = str(httpx.QueryParams(fields))
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self._request("POST", path, content=body.encode(), headers=sent)

    async def upload(self, content: bytes, path: str = f"{MATCHING}/upload") -> httpx.Response:
        """A file, in the form that the page shows."""
        files = {"file": ("mappings.csv", content, "text/csv")}
        return await self._request("POST", path, files=files, data={"form_token": self.token})

    @property
    def token(self) -> str:
        """The token of the page's forms."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.page)
        assert found is not None
        return unescape(found[1])

    async def _request(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = options.pop("headers", {})
        assert isinstance(headers, dict)
        session = self.here.cookie(self.role, self.org)["Cookie"]
        cookies = "; ".join([session, *(f"{name}={value}" for name, value in self.cookies.items())])
        answer = await self.here.http.request(
            method, path, headers={"Cookie": cookies, **headers}, **options
        )
        for cookie in self.here.http.cookies.jar:
            self.cookies[cookie.name] = cookie.value or ""
        if "set-cookie" in answer.headers and "Max-Age=0" in answer.headers["set-cookie"]:
            self.cookies.clear()
        self.here.http.cookies.clear()
        if answer.status_code == 303:
            return await self._request("GET", answer.headers["location"])
        self.page = answer.text
        return answer
