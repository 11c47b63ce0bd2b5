"""Sealed credentials open for their own org, provider and keys alone."""

import pytest

from nullspend_margins.services.vault import Unreadable, Vault

OLD, NEW = b"o" * 32, b"n" * 32


def test_a_secret_opens_for_its_own_org_and_provider_alone() -> None:
    vault = Vault([OLD])
    sealed = vault.seal("org_1", "stripe", "rk_live_secret")
    assert "secret" not in sealed
    assert vault.open("org_1", "stripe", sealed) == "rk_live_secret"
    for org_id, provider in (("org_2", "stripe"), ("org_1", "other"), ("org_1\x00stripe", "")):
        with pytest.raises(Unreadable):
            vault.open(org_id, provider, sealed)


def test_the_first_key_seals_and_every_key_opens() -> None:
    sealed = Vault([OLD]).seal("org_1", "stripe", "secret")
    rotating = Vault([NEW, OLD])
    assert rotating.open("org_1", "stripe", sealed) == "secret"
    assert not rotating.is_current(sealed)
    assert rotating.is_current(rotating.seal("org_1", "stripe", "secret"))
    with pytest.raises(Unreadable):
        Vault([NEW]).open("org_1", "stripe", sealed)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-4], lambda text: "v2" + text[2:], str.lower]
)
def test_a_changed_text_does_not_open(change) -> None:
    vault = Vault([OLD])
    sealed = vault.seal("org_1", "stripe", "secret")
    with pytest.raises(Unreadable):
        vault.open("org_1", "stripe", change(sealed))


def test_garbage_does_not_open() -> None:
    for text in ("", "v1", "v1.x.y", "...", "v1.00000000.!!"):
        with pytest.raises(Unreadable):
            Vault([OLD]).open("org_1", "stripe", text)


def test_sealing_twice_gives_two_texts() -> None:
    vault = Vault([OLD])
    assert vault.seal("o", "p", "s") != vault.seal("o", "p", "s")
