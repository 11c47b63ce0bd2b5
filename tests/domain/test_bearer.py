"""Which requests carry a bearer token, and which."""

import pytest

from nullspend_margins.domain.bearer import bearer_tokens


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (b"Bearer abc", [b"abc"]),
        (b"bEARER \t abc ", [b"abc"]),
        (b"Bearer\tabc", [b"abc"]),
        (b"Bearer", [b""]),
        (b"Bearer ", [b""]),
        (b"Bearerabc", []),
        (b"Basic abc", []),
        (b"", []),
    ],
)
def test_a_token_is_what_follows_the_scheme(value: bytes, tokens: list[bytes]) -> None:
    assert bearer_tokens([(b"Authorization", value)]) == tokens


def test_every_header_counts_and_no_other_name_does() -> None:
    headers = [(b"authorization", b"Bearer a"), (b"cookie", b"Bearer b"), (b"AUTHORIZATION", b"")]
    assert bearer_tokens(headers) == [b"a"]
    assert bearer_tokens([*headers, (b"authorization", b"Bearer c")]) == [b"a", b"c"]
