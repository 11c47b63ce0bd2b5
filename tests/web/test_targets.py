"""Paths, queries, mounts, and the shapes of margins."""

from urllib.parse import quote, unquote

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.web.fakes import Web, table_row
from tests.web.requests import raw_request

TAGS = ["a/b", "a b", "100%", "%2F", "%25", "a+b", "Ünï 客", "/x", "x/", "a?b#c&d=e", "unmatched"]


@pytest.mark.parametrize("tag", [tag for tag in TAGS if tag != "unmatched"])
async def test_a_tag_is_decoded_once_from_the_path(web: Web, tag: str) -> None:
    answer = await web.http.get(f"/api/margins/{quote(tag, safe='+')}")
    assert answer.json()["data"]["tagValue"] == tag


@pytest.mark.parametrize("path", ["/api/margins/_", "/api/margins/", "/api/margins/unmatched"])
@pytest.mark.parametrize("tag", [*TAGS, ".", ".."])
async def test_a_tag_in_the_query_overrides_the_path(web: Web, path: str, tag: str) -> None:
    answer = await web.http.get(f"{path}?tagValue={quote(tag, safe='')}")
    assert answer.json()["data"]["tagValue"] == tag


async def test_in_a_query_plus_is_a_space_and_the_last_value_wins(web: Web) -> None:
    answer = await web.http.get("/api/margins/_?tagValue=a&other=1&tagV%61lue=b+c&tagValues=d")
    assert answer.json()["data"]["tagValue"] == "b c"


@pytest.mark.parametrize("bad", ["%", "a%zz", "%ff", "%c3%28", "a%2"])
async def test_bad_encoding_is_a_validation_error(web: Web, bad: str) -> None:
    for path, query in ((f"/api/margins/{bad}", ""), ("/api/margins/_", f"tagValue={bad}")):
        answer = await web.raw(unquote(path), raw_path=path.encode(), query_string=query.encode())
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "validation_error"


@pytest.mark.parametrize(
    ("path", "raw_path", "root_path"),
    [
        ("/api/margins/a%zz", b"/api/margins/a%25zz", ""),
        ("/m/api/margins/a%zz", b"/m/api/margins/a%25zz", "/m"),
        ("/m/api/margins/a%zz", b"/api/margins/a%25zz", "/m"),
        ("/api/margins/a%zz", b"/m/api/margins/a%25zz", "/m"),
        ("/api/margins/a%zz", b"/api/margins/a%25zz?x=%", ""),
        ("/api/margins/a%zz", b"/rewritten", ""),
        ("/api/margins/a%zz", None, "/m/"),
    ],
)
async def test_a_path_is_understood_whatever_the_server_puts_where(
    web: Web, path: str, raw_path: bytes | None, root_path: str
) -> None:
    answer = await web.raw(path, raw_path=raw_path, root_path=root_path)
    assert answer.json()["data"]["tagValue"] == "a%zz"


@pytest.mark.parametrize(
    ("path", "raw_path", "root_path", "explained"),
    [
        ("/api/margins/a/explain", b"/api/margins/a/explain", "", "a"),
        ("/api/margins/a/explain", b"/api/margins/a%2Fexplain", "", None),
        ("/api/margins/a/explain", b"/api/margins/a/explai%6E?x=/y", "", "a"),
        ("/api/margins/a/explain/explain", b"/api/margins/a%2Fexplain/explain", "", "a/explain"),
        ("/api/margins/a/explain/explain", b"/api/margins/a/explain%2Fexplain", "", None),
        ("/m/api/margins/a/explain", b"/m/api/margins/a%2Fexplain", "/m", None),
        ("/m/api/margins/a/explain", b"/api/margins/a%2Fexplain", "/m", None),
        ("/api/margins/a/explain", b"/m/api/margins/a%2Fexplain", "", None),
        ("/api/margins/a/explain", b"/rewritten/b%2Fexplain", "", "a"),
        ("/api/margins/a/explain", b"", "", "a"),
        ("/api/margins/a/explain", None, "", "a"),
        ("/api/margins//explain", b"/api/margins//explain", "", None),
        ("/api/margins/explain", b"/api/margins/explain", "", None),
        ("/api/margins/a/explain/", b"/api/margins/a/explain/", "", None),
        ("/api/margins/a/Explain", b"/api/margins/a/Explain", "", None),
    ],
)
async def test_only_a_slash_that_was_sent_as_one_asks_for_an_explanation(
    web: Web, path: str, raw_path: bytes | None, root_path: str, explained: str | None
) -> None:
    answer = await web.raw(path, raw_path=raw_path, root_path=root_path)
    assert web.margins.explained == ([] if explained is None else [explained])
    assert answer.status_code == (404 if "//" in path else 200)


@pytest.mark.parametrize("bad", ["%", "a%zz", "%ff"])
async def test_bad_encoding_before_explain_is_a_validation_error(web: Web, bad: str) -> None:
    raw_path = f"/api/margins/{bad}/explain".encode()
    answer = await web.raw(f"/api/margins/{unquote(bad)}/explain", raw_path=raw_path)
    assert answer.status_code == 400
    assert web.margins.explained == []


@pytest.mark.parametrize("tag", ["x" * 257, "a%00", "a%0A", "", "%C2%85"])
async def test_a_tag_that_no_mapping_can_hold_is_not_found(web: Web, tag: str) -> None:
    answer = await web.http.get(f"/api/margins/{tag}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert web.margins.tags == []


async def test_under_a_mount_and_a_prefix_the_routes_are_the_same() -> None:
    web = Web(prefix="/margins")
    host = Starlette(routes=[Mount("/billing", web.app)])
    for app, path in ((web.app, "/margins"), (host, "/billing/margins")):
        found = await raw_request(app, f"{path}/api/margins/a/b", root_path="")
        assert found.json()["data"]["tagValue"] == "a/b"
        document = await raw_request(app, f"{path}/api/openapi.json")
        assert "/margins/api/margins/{customer}" in document.json()["paths"]
        (server,) = document.json()["servers"]
        assert server["url"] == (path.removesuffix("/margins") or "/")
        outside = await raw_request(app, path.removesuffix("/margins") + "/api/margins")
        assert outside.status_code == 404


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/billing/api/margins", True),
        ("/billing/api/margins/x/y", True),
        ("/billing/api/margins/x/explain", True),
        ("/billing/api/connections/x", True),
        ("/billing/api/connections/x/sync", True),
        ("/billing/api/connections/", False),
        ("/billing/api/connections/x/y", False),
        ("/billing/api/customer-mappings/", False),
        ("/billing", False),
        ("/api/margins", False),
        ("/billingapi/margins", False),
    ],
)
def test_only_registered_paths_are_claimed(path: str, ours: bool) -> None:
    web = Web(prefix="/billing")
    for method in ("GET", "PATCH"):
        assert web.app.matches({"type": "http", "method": method, "path": path}) is ours
    assert not web.app.matches({"type": "websocket", "path": path})


@pytest.mark.parametrize(
    "query",
    ["period=", "period=2026-13", "format=xml", "format=", "basis=", "basis=gross", "include="],
)
async def test_a_wrong_query_is_a_validation_error(web: Web, query: str) -> None:
    assert (await web.http.get(f"/api/margins?{query}")).status_code == 400


async def test_the_last_of_a_repeated_parameter_counts(web: Web) -> None:
    web.margins.rows = [table_row("a")]
    answer = await web.http.get("/api/margins?period=x&unknown=%ff&period=2026-02&format=json")
    (row,) = answer.json()["data"]["customers"]
    assert row["sparkline"] == [
        {"period": "2025-12", "marginPercent": 70},
        {"period": "2026-01", "marginPercent": 70},
        {"period": "2026-02", "marginPercent": 70},
        {"period": "2026-03", "marginPercent": 70, "projected": True},
    ]


async def test_percents_are_integers_where_they_are_whole(web: Web) -> None:
    answer = await web.http.get("/api/margins/x")
    assert '"marginPercent":72.67' in answer.text
    web.margins.rows = [table_row("a", cost=200_000_000)]
    answer = await web.http.get("/api/margins")
    assert '"marginPercent":-100,' in answer.text


async def test_a_csv_is_a_file_that_no_spreadsheet_mistakes_for_a_program(web: Web) -> None:
    web.margins.rows = [
        table_row("=1+1", name='Acme, "Ltd"\nTwo'),
        table_row("b", name="\t=x"),
        table_row("c", name="Ünï", cost=100_005_000),
    ]
    answer = await web.http.get("/api/margins?format=csv&period=2026-04")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="margins-2026-04.csv"'
    assert answer.text == (
        "Customer,Stripe ID,Tag Value,Revenue ($),Cost ($),Margin (%),Margin ($),Health Tier\r\n"
        '"Acme, ""Ltd""\nTwo",cus_1,\'=1+1,100.00,30.00,70.00,70.00,healthy\r\n'
        "'\t=x,cus_1,b,100.00,30.00,70.00,70.00,healthy\r\n"
        "Ünï,cus_1,c,100.00,100.01,0.00,0.00,critical\r\n"
    )


async def test_a_big_table_is_shaped_the_same(web: Web) -> None:
    web.margins.rows = [table_row(f"tag {number}") for number in range(600)]
    answer = await web.http.get("/api/margins")
    assert len(answer.json()["data"]["customers"]) == 600


async def test_head_has_the_headers_of_get_and_no_body(web: Web) -> None:
    got, head = await web.http.get("/api/margins"), await web.http.head("/api/margins")
    assert head.content == b""
    assert head.headers == got.headers
