"""Who sees pages, with which headers, and what stands there when there is none."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from nullspend_margins import AuthenticationRequired, Margins, MarginsMiddleware, Principal
from nullspend_margins.errors import InternalError
from tests.world import World, config, world

PAGES = ["/margins", "/margins/matching", "/margins/connect"]


def form_token(page: str) -> str:
    """The token of a page's first form."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def get(here: World, path: str, **options: object) -> httpx.Response:
    return await here.call("GET", path, **options)


@pytest.mark.parametrize("path", PAGES)
async def test_a_viewer_sees_every_page(here: World, path: str) -> None:
    answer = await get(here, path, role="viewer")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<main id="main"' in answer.text


async def test_nobody_keeps_a_page_frames_it_or_runs_scripts_in_it(here: World) -> None:
    headers = (await get(here, "/margins")).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


async def test_every_page_has_a_nonce_of_its_own(here: World) -> None:
    first, second = [await get(here, "/margins") for _ in range(2)]
    policies = {each.headers["content-security-policy"] for each in (first, second)}
    assert len(policies) == 2


async def test_who_is_signed_out_is_sent_to_the_hosts_sign_in(here: World) -> None:
    answer = await here.http.get("/margins")
    assert answer.status_code == 401
    assert "You are signed out" in answer.text


class Refusing:
    """A host's sessions, one of which it knows and does not let in."""

    name = "refusing"

    async def authenticate(self, scope: Scope) -> Principal | None:
        if (b"cookie", b"host=suspended") in scope["headers"]:
            raise AuthenticationRequired("This <b>account</b> is suspended.")
        return None


async def test_whom_the_host_refuses_is_told_why(sqlite_url: str) -> None:
    """Signing in again would lead back here."""
    async with world(sqlite_url, plugins=[Refusing()]) as here:
        refused = await here.http.get("/margins", headers={"Cookie": "host=suspended"})
        signed_out = await here.http.get("/margins")
    assert refused.status_code == signed_out.status_code == 401
    assert "This &lt;b&gt;account&lt;/b&gt; is suspended." in refused.text
    assert AuthenticationRequired().message not in signed_out.text


async def test_an_org_on_a_lower_plan_sees_the_way_up(here: World) -> None:
    answer = await get(here, "/margins", org="org_free")
    assert answer.status_code == 403
    assert 'href="https://host.example/upgrade"' in answer.text
    assert "free plan" in answer.text


async def test_a_wrong_address_is_told_in_words(here: World) -> None:
    answer = await get(here, "/margins?period=2026-13")
    assert answer.status_code == 400
    assert "2026-04" in answer.text  # the example of how to write one


async def test_assets_are_kept_for_ever_and_need_no_session(here: World) -> None:
    page = (await get(here, "/margins")).text
    files = re.findall(r'(?:href|src)="(/margins/assets/[^"]+)"', page)
    assert len(files) >= 4
    for file in files:
        answer = await here.http.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await here.http.get("/margins/assets/dashboard.css")).status_code == 404


async def test_head_is_get_without_its_body(here: World) -> None:
    answer = await here.call("HEAD", "/margins")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("kind", [RuntimeError, InternalError])
async def test_a_defect_shows_no_internals(
    here: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: type[Exception],
) -> None:
    services = await here.margins.services()

    async def broken(*_: object, **__: object) -> None:
        raise kind("secret internals")

    monkeypatch.setattr(type(services.margins), "table", broken)
    monkeypatch.setattr(type(services.margins), "table_with", broken)
    answer = await get(here, "/margins")
    assert answer.status_code == 500
    assert "secret internals" not in answer.text
    assert "secret internals" in caplog.text
    assert "Traceback" in caplog.text


async def test_pages_can_be_switched_off(tmp_path: Path) -> None:
    settings = config(f"sqlite:///{tmp_path / 'm.db'}", "http://127.0.0.1:1")
    margins = Margins({**settings, "dashboard": {"enabled": False}})
    transport = httpx.ASGITransport(margins.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host.example") as http:
        answer = await http.get("/margins")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("address", "above"),
    [
        ("/margins/", "/margins"),
        ("/margins/matching/map", "/margins/matching"),
        ("/margins/matching/upload/apply", "/margins/matching/upload"),
        ("/margins/connect/stripe/sync", "/margins/connect/stripe"),
    ],
)
async def test_where_only_forms_are_sent_to_the_page_above_is_seen(
    here: World, address: str, above: str
) -> None:
    answer = await get(here, address)
    assert answer.status_code == 303
    assert str(answer.url.join(answer.headers["location"]).path) == above


HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def lost(here: World, path: str, role: str = "viewer", **headers: str) -> httpx.Response:
    return await here.http.get(path, headers={**here.cookie(role), **headers})


@pytest.mark.parametrize(
    "path",
    ["/margins/nope", "/margins/customers", "/margins/connect/stripe/nope", "/margins/a%20b/c"],
)
async def test_an_address_of_no_page_is_a_page_with_a_way_back(here: World, path: str) -> None:
    answer = await lost(here, path, Accept=HTML)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Not found</h1>" in answer.text
    assert "There is no page at this address." in answer.text
    assert '<a class="button quiet" href="/margins">Back to the margins</a>' in answer.text
    assert '<nav aria-label="Main">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for sheet in re.findall(r'(?:href|src)="(/margins/assets/[^"]+)"', answer.text):
        assert (await here.http.get(sheet)).status_code == 200


async def test_who_is_signed_out_learns_nothing_of_addresses(here: World) -> None:
    answer = await here.http.get("/margins/nope", headers={"Accept": HTML})
    assert answer.status_code == 401
    assert "You are signed out" in answer.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/margins/nope", "application/json"),
        ("/margins/nope", "*/*"),
        ("/api/nope", HTML),
        ("/api/margins/a/b/c/nope/", "application/json"),
        ("/nope", HTML),
        ("/marginsnope", HTML),
    ],
)
async def test_programs_and_the_api_are_answered_in_json(
    here: World, path: str, accept: str
) -> None:
    answer = await lost(here, path, Accept=accept)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_what_is_sent_to_no_page_is_no_visit(here: World) -> None:
    headers = {**here.cookie(), "Accept": HTML}
    answer = await here.http.post("/margins/nope", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    head = await here.http.head("/margins/nope", headers=headers)
    assert (head.status_code, head.text) == (404, "")
    assert head.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_middleware_leaves_addresses_of_no_page_to_the_host(here: World) -> None:
    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("The host's own.")(scope, receive, send)

    transport = httpx.ASGITransport(MarginsMiddleware(host, here.margins))
    async with httpx.AsyncClient(transport=transport, base_url="http://host.example") as http:
        answer = await http.get("/margins/nope", headers={**here.cookie(), "Accept": HTML})
    assert answer.text == "The host's own."


async def test_a_notice_waits_for_a_whole_page(here: World) -> None:
    await here.map("cus_1", "one")
    token = form_token((await get(here, "/margins/customers/one")).text)
    sent = {"form_token": token, "provider": "stripe", "customer_id": "cus_1"}
    sent |= {"tag_key": "customer", "tag_value": "one", "match_type": "manual"}
    changed = await here.http.post("/margins/matching/unmap", data=sent, headers=here.cookie())
    cookie = changed.headers["set-cookie"].partition(";")[0]
    assert "secure" not in changed.headers["set-cookie"].lower()  # the test's scheme is http
    headers = {"Cookie": f"{here.cookie()['Cookie']}; {cookie}"}
    part = await here.http.get("/margins/matching", headers={**headers, "HX-Request": "true"})
    assert "Unmapped: " not in part.text
    assert "set-cookie" not in part.headers
    whole = await here.http.get("/margins/matching", headers=headers)
    assert "Unmapped: " in whole.text
    assert "set-cookie" in whole.headers


@pytest.mark.parametrize("path", PAGES)
async def test_over_the_limit_a_person_is_told_when_to_come_back(
    sqlite_url: str, path: str
) -> None:
    async with world(sqlite_url, limits={"requests_per_minute": 1}) as here:
        assert (await get(here, path)).status_code == 200
        answer = await get(here, path)
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "<h1>Too many requests</h1>" in answer.text
        assert 'href="">Try again</a>' in answer.text
        sent = await here.http.post("/margins/matching/map", headers=here.cookie())
        assert sent.status_code == 429
        assert 1 <= int(sent.headers["retry-after"]) <= 60
        assert "Try again</a>" not in sent.text  # what was sent would have to be sent again
        assert (await get(here, path, org="org_2")).status_code == 200
