"""Where files come from, what is refused, and that nothing tells a secret."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from nullspend_margins import (
    ConfigurationError,
    CredentialRefused,
    ProviderUnavailable,
    ServiceUnavailable,
    ValidationFailed,
)
from nullspend_margins.testing import FakeService
from nullspend_margins_csv.provider import MOST_PROBLEMS
from nullspend_margins_csv.sources import Source, Where
from tests.csv_provider.support import ALWAYS, HEADER, URL, provider, read, serving

TEXT = HEADER + "acme,2026-03-05,1\nbeta,2026-03-06,2\n"


async def refusal(body: dict[str, object], **table: object) -> str:
    with pytest.raises(ValidationFailed) as refused:
        await provider(**table).parse_credential(body)
    return refused.value.message


async def checked(body: dict[str, object], service: FakeService | None = None, **table: object):
    csv = provider(service, **table)
    await csv.check_credential((await csv.parse_credential(body)).secret)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "content: is required: send one of content (the text itself), url and file"),
        ({"contents": TEXT}, "content: is required: send one of"),
        ({"content": TEXT, "url": URL}, "url: can't be sent with content: send one of"),
        ({"content": None}, "content: must be a string"),
        ({"content": " \n"}, "content: must not be empty"),
        ({"content": "customer;date\n"}, "content: line 1: names no column amount"),
        ({"content": HEADER + '"acme'}, "content: line 2: is no CSV"),
        ({"url": "http://files.example.com/x.csv"}, "url: must start with https://"),
        ({"url": "ftp://files.example.com/x.csv"}, "url: must start with https://"),
        ({"url": "https://ada:pw@files.example.com/x"}, "url: must not contain a user or password"),
        ({"url": "https:///x.csv"}, "url: must be https://, a host and a path"),
        ({"url": "https://[::1/x.csv"}, "url: cannot be read as a URL"),
        ({"url": "https://files.example.com/a b"}, "url: must be https://, a host and a path"),
        ({"url": f"{URL}{'x' * 2048}"}, "url: must be at most 2048 characters long"),
        ({"file": "revenue.csv"}, "file: can't be used: no folder is set for files. The operator"),
    ],
)
async def test_a_body_that_is_wrong_is_told_why(body: dict[str, object], problem: str) -> None:
    assert (await refusal(body)).startswith(problem)


@pytest.mark.parametrize(
    "name", ["../x.csv", "a/../../x.csv", "/etc/passwd", "..\\x.csv", "C:x.csv", ".", "a\nb"]
)
async def test_a_name_that_leads_elsewhere_is_refused_by_its_form(
    name: str, tmp_path: Path
) -> None:
    (tmp_path.parent / "x.csv").write_text(TEXT)
    assert (await refusal({"file": name}, folder=str(tmp_path))).startswith("file: must be ")


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ({"content": TEXT}, "upload of 2 rows"),
        ({"content": HEADER + "acme,2026-03-05,1"}, "upload of 1 row"),
        ({"url": URL}, "files.example.com"),
        ({"file": "acme/2026.csv"}, "acme/2026.csv"),
    ],
)
async def test_a_label_says_where_from_and_no_more(
    body: dict[str, object], label: str, tmp_path: Path
) -> None:
    assert (await provider(folder=str(tmp_path)).parse_credential(body)).label == label


async def test_a_file_of_the_folder_is_read_anew_at_every_sync(tmp_path: Path) -> None:
    file = tmp_path / "revenue.csv"
    file.write_text(TEXT)
    csv = provider(folder=str(tmp_path))
    assert [fact.amount_minor for fact in await read(csv, {"file": "revenue.csv"})] == [100, 200]
    file.write_text(HEADER + "acme,2026-03-05,3\n")
    assert [fact.amount_minor for fact in await read(csv, {"file": "revenue.csv"})] == [300]


async def test_a_link_may_lead_within_the_folder_and_not_out_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text(TEXT)
    (folder / "real.csv").write_text(TEXT)
    (folder / "within.csv").symlink_to("real.csv")
    (folder / "out.csv").symlink_to("../secret.csv")
    (folder / "up").symlink_to("..")
    (folder / "loop.csv").symlink_to("loop.csv")
    await checked({"file": "within.csv"}, folder=str(folder))
    for name in ("out.csv", "up/secret.csv"):
        with pytest.raises(ValidationFailed, match="leads out of the folder"):
            await checked({"file": name}, folder=str(folder))
    with pytest.raises(ValidationFailed, match=r"loop.csv can't be opened"):
        await checked({"file": "loop.csv"}, folder=str(folder))


async def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "sub").mkdir()
    for name in ("pipe.csv", "sub"):
        with pytest.raises(ValidationFailed, match="is no ordinary file"):
            await checked({"file": name}, folder=str(tmp_path))


async def test_a_file_that_is_missing_is_a_mistake_first_and_a_bad_day_later(
    tmp_path: Path,
) -> None:
    body = {"file": "revenue.csv"}
    with pytest.raises(ValidationFailed, match=r"There is no file revenue.csv in the folder"):
        await checked(body, folder=str(tmp_path))
    for table in ({"folder": str(tmp_path)}, {"folder": f"{tmp_path}/unmounted"}):
        with pytest.raises(ProviderUnavailable):
            await read(provider(**table), body)


async def test_a_folder_that_is_not_set_any_more_names_the_key(tmp_path: Path) -> None:
    kept = await provider(folder=str(tmp_path)).parse_credential({"file": "revenue.csv"})
    with pytest.raises(ProviderUnavailable, match=r"\[plugins.csv\] folder"):
        await anext(provider().fetch_revenue(kept.secret, ALWAYS))


async def test_a_file_that_is_written_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "revenue.csv"
    file.write_text(HEADER + "acme,2026-03-05,1\n" * 2_000)
    csv = provider(folder=str(tmp_path))
    kept = await csv.parse_credential({"file": "revenue.csv"})
    pages = csv.fetch_revenue(kept.secret, ALWAYS)
    await anext(pages)
    with file.open("a") as writing:
        writing.write("acme,2026-03-05,1\n")
    with pytest.raises(ProviderUnavailable, match="changed while it was read"):
        async for _ in pages:
            pass


async def test_a_large_file_is_refused_wherever_it_is(tmp_path: Path) -> None:
    text = HEADER + f"acme,2026-03-05,1{' ' * 79}\n" * 11_000
    (tmp_path / "revenue.csv").write_text(text)
    with pytest.raises(ValidationFailed, match="1,000,000 are read at most; the operator sets it"):
        await checked({"file": "revenue.csv"}, folder=str(tmp_path), max_megabytes=1)
    with pytest.raises(ProviderUnavailable, match="more than 1000000 bytes"):
        await checked({"url": URL}, serving(text), max_megabytes=1)
    await checked({"url": URL}, serving(text), max_megabytes=2)


@pytest.mark.parametrize(
    ("status", "headers", "error", "message"),
    [
        (401, {}, CredentialRefused, "does not accept this URL any more"),
        (410, {}, CredentialRefused, "does not accept this URL any more"),
        (403, {}, ValidationFailed, "Has the URL expired?"),
        (404, {}, ValidationFailed, "has no file at this URL"),
        (206, {}, ProviderUnavailable, "answered with 206"),
        (429, {}, ProviderUnavailable, "answered with 429"),
        (503, {}, ProviderUnavailable, "answered with 503"),
        (200, {"content-type": "text/html; charset=utf-8"}, ValidationFailed, "a web page"),
    ],
)
async def test_what_a_host_answers_says_whether_to_try_again(
    status: int, headers: dict[str, str], error: type[Exception], message: str
) -> None:
    service = FakeService(lambda _: httpx.Response(status, text=TEXT, headers=headers))
    with pytest.raises(error, match=message) as failed:
        await checked({"url": URL}, service)
    assert "files.example.com" in str(failed.value)
    assert "s3cr3t" not in str(failed.value)


async def test_a_host_is_asked_by_its_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    service = serving(TEXT)
    assert len(await read(provider(service), {"url": f" {URL} "})) == 2
    assert [(each.method, str(each.url)) for each in service.requests] == [("GET", URL)]


async def test_all_problems_are_told_to_who_connects_up_to_a_limit() -> None:
    with pytest.raises(ValidationFailed) as refused:
        await checked({"content": HEADER + "acme,2026-03-05,x\n" * 50})
    lines = [issue["message"].partition(",")[0] for issue in refused.value.issues]
    assert lines == [f"line {number}" for number in range(2, 2 + MOST_PROBLEMS)]
    assert {issue["path"] for issue in refused.value.issues} == {"content"}


async def test_a_broken_file_fails_a_sync_with_its_line() -> None:
    with pytest.raises(ProviderUnavailable) as failed:
        await read(provider(serving(TEXT + "acme,2026-03-05,x\n")), {"url": URL})
    assert failed.value.message == (
        "files.example.com, line 4, column amount: 'x' is no number: write it as 1234.50. "
        "Nothing of the file was taken."
    )


async def test_a_secret_that_is_none_is_refused() -> None:
    for secret in ("", "x", "eJyrVipOTS5KLVGyUkpMTFTSUcpJLEnVUSooys9ITS5RslJKSk1R0lFKys8H0AA="):
        with pytest.raises(CredentialRefused, match="connect it again"):
            await provider().check_credential(secret)


def test_a_relative_folder_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"plugins.csv.folder.*absolute path"):
        provider(folder="files")


async def test_rules_of_outbound_requests_hold_for_urls() -> None:
    class Strict:
        def url_problem(self, url: str) -> str | None:
            return "leads to an address that is not allowed"

    csv = provider()
    csv._outbound = Strict  # type: ignore[assignment]
    with pytest.raises(ValidationFailed, match="url: leads to an address that is not allowed"):
        await csv.parse_credential({"url": "https://127.0.0.1/x.csv"})


async def test_a_failing_host_says_nothing_of_the_url() -> None:
    with pytest.raises(ProviderUnavailable) as failed:
        await read(provider(serving(TEXT).unreachable()), {"url": URL})
    assert not isinstance(failed.value, ServiceUnavailable)
    assert failed.value.message == "files.example.com does not answer."


@pytest.mark.parametrize("where", ["content", "url", "file"])
def test_a_source_shows_nothing_of_its_text(where: Where) -> None:
    assert "token" not in repr(Source(where, f"{URL}?token=1"))
