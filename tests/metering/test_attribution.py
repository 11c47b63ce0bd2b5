"""Whose cost a call is, and that a client cannot choose."""

from __future__ import annotations

import logging

import pytest

from nullspend_margins.config import MeteringSettings
from nullspend_margins.metering.attribution import Attribution, CustomerHeaders

CUSTOMER, TAGS = b"x-nullspend-customer", b"x-nullspend-tags"
LITELLM = b"x-litellm-customer-id"
PLAIN = [(b"host", b"h"), (b"accept", b"*/*")]


def headers(*trusted: bytes, **more: object) -> CustomerHeaders:
    names = tuple(name.decode() for name in trusted)
    return CustomerHeaders(MeteringSettings(org="o", trusted_headers=names, **more))


def test_by_default_no_header_is_believed_and_all_of_them_are_taken_off() -> None:
    sent = [(CUSTOMER, b"acme"), *PLAIN, (TAGS, b"customer=acme"), (LITELLM, b"acme")]
    assert headers().read(sent, None) == (Attribution(), PLAIN)


@pytest.mark.parametrize(
    "name",
    [
        b"X-NullSpend-Customer",
        b"x_nullspend_customer",
        b"X-NullSpend_Customer",
        b"X-LITELLM_customer-id",
    ],
)
def test_no_spelling_of_a_header_gets_past(name: bytes) -> None:
    assert headers().read([(name, b"acme"), *PLAIN], None) == (Attribution(), PLAIN)


def test_a_trusted_header_is_believed_and_seen_below() -> None:
    sent = [*PLAIN, (b"X-NullSpend-Customer", b"acme"), (LITELLM, b"other")]
    attribution, kept = headers(CUSTOMER).read(sent, None)
    assert attribution.customer == "acme"
    assert kept == [*PLAIN, (CUSTOMER, b"acme")]


def test_a_trusted_header_spelt_with_underscores_is_not_believed() -> None:
    sent = [*PLAIN, (b"x_nullspend_customer", b"other"), (CUSTOMER, b"acme")]
    attribution, kept = headers(CUSTOMER).read(sent, None)
    assert (attribution.customer, kept) == ("acme", [*PLAIN, (CUSTOMER, b"acme")])
    assert headers(CUSTOMER).read(sent[:-1], None)[0].customer == ""


def test_two_values_of_a_trusted_header_are_nobodys_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = [*PLAIN, (CUSTOMER, b"acme"), (b"X-Nullspend-Customer", b"other")]
    reader = headers(CUSTOMER)
    with caplog.at_level(logging.WARNING):
        assert reader.read(sent, None) == (Attribution(), PLAIN)
        assert reader.read(sent, None) == (Attribution(), PLAIN)
    assert len(caplog.records) == 1
    assert "x-nullspend-customer" in caplog.text
    assert "acme" not in caplog.text


def test_the_same_value_twice_is_one_value() -> None:
    sent = [*PLAIN, (CUSTOMER, b"acme"), (CUSTOMER, b"acme")]
    attribution, kept = headers(CUSTOMER).read(sent, None)
    assert (attribution.customer, kept) == ("acme", [*PLAIN, (CUSTOMER, b"acme")])


def test_of_two_trusted_headers_the_first_in_the_settings_counts() -> None:
    sent = [*PLAIN, (LITELLM, b"second"), (CUSTOMER, b"first")]
    assert headers(LITELLM, CUSTOMER).read(sent, None)[0].customer == "first"


def test_a_customer_of_another_header_is_written_where_a_gateway_below_looks() -> None:
    order = (LITELLM.decode(), TAGS.decode())
    attribution, kept = headers(TAGS, customer_headers=order).read(
        [*PLAIN, (TAGS, b"customer=acme, feature=chat")], None
    )
    assert attribution == Attribution(customer="acme", tags={"customer": "acme", "feature": "chat"})
    assert (LITELLM, b"acme") in kept


@pytest.mark.parametrize(
    "text",
    [
        b'{"customer": "acme", "feature": "chat", "bad": 7}',
        b"customer=acme,feature=chat",
        b" feature = chat , customer = acme , nothing",
    ],
)
def test_tags_are_json_or_pairs(text: bytes) -> None:
    attribution, _ = headers(TAGS).read([(TAGS, text)], None)
    assert attribution.tags == {"customer": "acme", "feature": "chat"}
    assert attribution.customer == "acme"


def test_tags_that_are_too_many_leave_the_customer() -> None:
    text = ",".join(f"k{number}=v" for number in range(20)) + ",customer=acme"
    attribution, _ = headers(TAGS).read([(TAGS, text.encode())], None)
    assert (attribution.customer, len(attribution.tags)) == ("acme", 10)


@pytest.mark.parametrize("text", [b"", b"  ", b"{", b"[1]", b"[" * 9000, b"{" * 9000, b"x"])
def test_tags_that_are_none_are_nobodys(text: bytes) -> None:
    assert headers(TAGS).read([(TAGS, text)], None)[0] == Attribution()


@pytest.mark.parametrize("text", [b"", b" ", b"a\x00b", b"x" * 257, b"a\nb"])
def test_a_customer_that_could_not_be_stored_is_nobody(text: bytes) -> None:
    assert headers(CUSTOMER).read([(CUSTOMER, text)], None)[0].customer == ""


def test_names_of_every_script_are_read() -> None:
    name = "Жук & Söhne"
    assert headers(CUSTOMER).read([(CUSTOMER, name.encode())], None)[0].customer == name
    assert headers(CUSTOMER).read([(CUSTOMER, "Söhne".encode("latin-1"))], None)[0].customer


def test_what_the_host_says_goes_before_every_header() -> None:
    sent = [*PLAIN, (CUSTOMER, b"other"), (LITELLM, b"other"), (TAGS, b"customer=other")]
    attribution, kept = headers(CUSTOMER).read(sent, Attribution(customer="acme"))
    assert attribution.customer == "acme"
    assert kept == [*PLAIN, (CUSTOMER, b"acme")]
    assert headers(CUSTOMER).read(sent, Attribution()) == (Attribution(), PLAIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer": 5},
        {"customer": "x" * 257},
        {"org_id": ""},
        {"tags": {"k": 1}},
        {"tags": {"": "v"}},
        {"tags": {str(number): "v" for number in range(11)}},
    ],
)
def test_an_attribution_holds_what_can_be_stored(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Attribution\."):
        Attribution(**wrong)  # type: ignore[arg-type]


def test_the_headers_of_each_request_are_its_own() -> None:
    reader, sent = headers(LITELLM), [*PLAIN, (LITELLM, b"acme")]
    _, kept = reader.read(sent, None)
    below = [*PLAIN, (LITELLM, b"acme"), (CUSTOMER, b"acme")]
    assert kept == below
    kept.clear()
    assert reader.read(sent, None)[1] == below
    assert sent == [*PLAIN, (LITELLM, b"acme")]


def test_two_values_beside_what_the_host_says_are_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = [(CUSTOMER, b"one"), (CUSTOMER, b"other")]
    with caplog.at_level(logging.WARNING):
        headers(CUSTOMER).read(sent, Attribution(customer="acme"))
    assert not caplog.records
