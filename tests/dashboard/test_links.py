"""Links that lead there wherever the app is mounted."""

import pytest

from nullspend_margins.config import config_from_mapping
from nullspend_margins.dashboard.links import Links


def links(root: str = "", prefix: str = "", path: str = "/margins") -> Links:
    config = config_from_mapping(
        {"server": {"prefix": prefix}, "dashboard": {"path": path}}, keep_secrets=False
    )
    return Links(config, {"type": "http", "root_path": root})


def test_pages_are_below_mount_prefix_and_their_own_path() -> None:
    found = links("/billing", "/v1", "/profit")
    assert found.page() == "/billing/v1/profit"
    assert found.page("/matching", period="2026-04", basis=None) == (
        "/billing/v1/profit/matching?period=2026-04"
    )
    assert found.api("/api/margins", format="csv") == "/billing/v1/api/margins?format=csv"


@pytest.mark.parametrize(
    ("tag_value", "path"),
    [
        ("acme", "/margins/customers/acme"),
        ("a/b c%d?é#", "/margins/customers/a%2Fb%20c%25d%3F%C3%A9%23"),
        (".", "/margins/customers/-?tagValue=."),
        ("..", "/margins/customers/-?tagValue=.."),
        ("/x", "/margins/customers/-?tagValue=%2Fx"),
    ],
)
def test_any_customer_has_a_link(tag_value: str, path: str) -> None:
    assert links().customer(tag_value) == path
    assert links().customers()(tag_value) == path
    with_query = links().customers(period="2026-04", basis=None)
    assert with_query(tag_value) == links().customer(tag_value, period="2026-04")


def test_a_root_path_with_spaces_is_quoted() -> None:
    assert links("/my app").page() == "/my%20app/margins"


@pytest.mark.parametrize(
    ("root", "path", "raw", "here"),
    [
        ("", "/margins", b"/margins", "/margins?period=2026-10"),
        ("/m", "/margins", b"/margins", "/m/margins?period=2026-10"),
        ("/m", "/m/margins", b"/m/margins", "/m/margins?period=2026-10"),
        ("/my app", "/my app/margins", b"/my%20app/margins", "/my%20app/margins?period=2026-10"),
        (
            "",
            "/margins/customers/a/../b",
            b"/margins/customers/a%2F..%2Fb",
            "/margins/customers/a%2F..%2Fb?period=2026-10",
        ),
        ("/m", "/margins/é", b"", "/m/margins/%C3%A9?period=2026-10"),
    ],
)
def test_the_way_back_is_what_the_browser_wrote(
    root: str, path: str, raw: bytes, here: str
) -> None:
    scope = {"type": "http", "root_path": root, "path": path, "raw_path": raw}
    assert links(root).here({**scope, "query_string": b"period=2026-10"}) == here
