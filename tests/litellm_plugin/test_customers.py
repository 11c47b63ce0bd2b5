"""A client does not choose whose cost it is."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from nullspend_margins_litellm.callback import CallRecorder
from tests.litellm_plugin.support import Ledger, logged, settings

HEADER = "x-litellm-customer-id"


def customer(kwargs: dict[str, Any], **table: Any) -> str:
    ledger = Ledger()
    CallRecorder(ledger, settings(**table)).record(kwargs)
    return ledger.event.tag_value


@pytest.mark.parametrize(
    "body",
    [
        {"user": "acme"},
        {"user": " acme "},
        {"metadata": {"user_id": "acme"}},
        {"metadata": '{"user_id": "acme"}'},
        {"litellm_metadata": {"user": "acme"}},
        {"safety_identifier": "acme"},
    ],
    ids=str,
)
def test_a_customer_that_the_body_names_is_nobody_unless_bodies_are_trusted(body: Any) -> None:
    assert customer(logged(body=body)) == ""
    assert customer(logged(body=body), trust_body=True) == "acme"


def test_a_customer_in_the_header_that_was_let_through_is_believed() -> None:
    assert customer(logged(headers={HEADER: "acme"}, body={"user": "acme"})) == "acme"


def test_an_end_user_that_the_proxys_authentication_names_is_believed() -> None:
    assert customer(logged(body={"user": "somebody"})) == "acme"


def test_where_the_body_is_not_known_nobody_is_believed() -> None:
    assert customer(logged(body="(redacted)")) == ""


@pytest.mark.parametrize("stamp", ["0123456789abcdef" * 4, "litellm_proxy_master_key"])
def test_a_body_whose_user_the_proxy_has_overwritten_is_not_believed(stamp: str) -> None:
    call = logged(body={"user": stamp})
    assert customer(call) == ""
    assert customer(call, trust_body=True) == "acme"


def test_a_body_that_was_passed_through_is_not_known_whole() -> None:
    call = {**logged(body={"messages": []}), "passthrough_logging_payload": {"url": "https://v"}}
    assert customer(call) == ""
    assert customer(call, trust_body=True) == "acme"
    trusted = {**logged(headers={HEADER: "acme"}), "passthrough_logging_payload": {"url": "https"}}
    assert customer(trusted) == "acme"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("key_alias", "key-of-acme"),
        ("key_metadata", "acme-by-key"),
        ("team_id", "team-1"),
        ("team_alias", "Acme"),
        ("user_id", "ada"),
        ("organization_id", ""),
    ],
)
def test_the_key_can_say_whose_cost_it_is_and_no_header_or_body_then(
    choice: str, expected: str
) -> None:
    call = logged(headers={HEADER: "rival"}, body={"user": "rival"})
    assert customer(call, customer=choice, trust_body=True) == expected


def test_the_proxys_own_records_get_the_customer_that_is_believed() -> None:
    def settled(**table: Any) -> Any:
        data: dict[str, Any] = {
            "metadata": {
                "user_api_key": "hash",
                "user_api_key_alias": "key-of-acme",
                "user_api_key_end_user_id": "rival",
            },
            "proxy_server_request": {"headers": {}, "body": {"user": "rival"}},
        }
        found = CallRecorder(Ledger(), settings(**table)).settle(data)
        return found, data["metadata"]["user_api_key_end_user_id"]

    assert settled() == ("", None)
    assert settled(customer="key_alias") == ("key-of-acme", "key-of-acme")
    assert settled(trust_body=True) == ("rival", "rival")


@pytest.mark.parametrize("name", ["Müller", "Łódź", "日本", "Voilà"])
def test_a_name_in_utf8_which_the_proxy_takes_for_latin_1_is_read_as_it_was_meant(
    name: str,
) -> None:
    header = name.encode().decode("latin-1")
    of_proxy = {"user_api_key_end_user_id": header.strip()}
    assert customer(logged(headers={HEADER: header}, metadata=of_proxy)) == name
    data = {"metadata": {**of_proxy}, "proxy_server_request": {"headers": {HEADER: header}}}
    assert CallRecorder(Ledger(), settings()).settle(data) == header.strip()
    assert data["metadata"] == of_proxy


@pytest.mark.parametrize(
    "name", ["Acme\u00a0Corp", "日\u200c本", "👩\u200d💻", "\u2067日本\u2069", "\ue000"]
)
def test_a_name_that_the_product_takes_over_http_is_a_customer_here_too(name: str) -> None:
    header = name.encode().decode("latin-1")
    call = logged(headers={HEADER: header}, metadata={"user_api_key_end_user_id": header})
    assert customer(call) == name
    assert customer(logged(metadata={"user_api_key_end_user_id": name})) == name
    body = logged(body={"user": name}, metadata={"user_api_key_end_user_id": name})
    assert customer(body) == ""
    assert customer(body, trust_body=True) == name


@pytest.mark.parametrize("name", ["a\nb", "a\x7f", "a\x85b", "a\ud800", "x" * 257])
def test_a_name_that_can_not_be_stored_is_nobody(name: str) -> None:
    assert customer(logged(metadata={"user_api_key_end_user_id": name})) == ""


def test_a_name_that_is_no_utf8_stays_as_it_is() -> None:
    for name in ("Müller", "ÿþ", "日本"):
        call = logged(body={"user": name}, metadata={"user_api_key_end_user_id": name})
        assert customer(call, trust_body=True) == name


def test_metadata_of_the_client_is_left_alone() -> None:
    of_client = {"user_id": "x", "user_api_key": "made up"}
    data: dict[str, Any] = {"metadata": {**of_client}, "proxy_server_request": {}}
    assert CallRecorder(Ledger(), settings()).settle(data) is None
    assert data == {"metadata": of_client, "proxy_server_request": {}}


def test_a_client_does_not_get_rid_of_its_customer_by_metadata_of_its_own() -> None:
    of_proxy = {"user_api_key": "hash", "user_api_key_end_user_id": "acme"}
    for own, other in (("metadata", "litellm_metadata"), ("litellm_metadata", "metadata")):
        data: dict[str, Any] = {
            own: {**of_proxy},
            other: {"user_api_key": "made up"},
            "proxy_server_request": {"headers": {HEADER: "acme"}, "body": {}},
        }
        assert CallRecorder(Ledger(), settings()).settle(data) == "acme"
        assert (data[own], data[other]) == (of_proxy, {"user_api_key": "made up"})


def test_teams_and_organizations_belong_to_orgs() -> None:
    ledger = Ledger()
    recorder = CallRecorder(ledger, settings(orgs={"team-1": "org_2", "o-1": "org_3"}))
    recorder.record(logged())
    recorder.record(logged(metadata={"user_api_key_team_id": "t", "user_api_key_org_id": "o-1"}))
    recorder.record(logged(metadata={"user_api_key_team_id": None}))
    assert [org for org, _, _ in ledger.taken] == ["org_2", "org_3", "org_1"]
    assert {source for _, source, _ in ledger.taken} == {"litellm"}


def test_a_call_of_no_org_is_told_once_and_does_not_disturb(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = Ledger()
    recorder = CallRecorder(ledger, settings(org=None, orgs={"team-2": "org_2"}))
    with caplog.at_level(logging.WARNING):
        recorder.record(logged())
        recorder.record(logged())
    assert ledger.taken == []
    (told,) = [record.message for record in caplog.records]
    assert told.startswith("costs are missing: calls of team 'team-1' belong to no org")


def test_what_can_not_be_counted_is_logged_with_its_id_and_raises_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = CallRecorder(Ledger(), settings())
    recorder.record({})
    recorder.record(logged(startTime=None))
    assert [record.message for record in caplog.records] == [
        "costs are missing: no standard_logging_object: LiteLLM logs a call in another form",
        "call 'call-1' is not counted: The call has no time.",
    ]


def test_a_failure_counts_when_the_vendor_wants_money_for_it() -> None:
    ledger = Ledger()
    recorder = CallRecorder(ledger, settings())
    recorder.record_failure(logged(status="failure", response_cost=0.0))
    assert ledger.taken == []
    recorder.record_failure(logged(status="failure", response_cost=0.5))
    assert ledger.event.cost_nanodollars == 500_000_000


def test_a_model_without_a_price_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger()
    recorder = CallRecorder(ledger, settings())
    recorder.record(logged(response_cost=0.0, cache_hit=True))
    recorder.record(logged(response_cost=0.0, prompt_tokens=0))
    assert caplog.records == []
    for _ in range(2):
        recorder.record(logged(response_cost=0.0))
    assert [event.cost_nanodollars for _, _, event in ledger.taken] == [0] * 4
    (told,) = [record.message for record in caplog.records]
    assert "LiteLLM has no price of model 'gpt-4o'" in told
