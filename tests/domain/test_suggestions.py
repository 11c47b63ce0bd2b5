"""Tag values that may be a customer's, and why."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from nullspend_margins.domain.names import company_of_host, host_of, mail_domain, simplified
from nullspend_margins.domain.suggestions import Suggester, by_tag


class Customer(NamedTuple):
    customer_id: str
    name: str | None = None
    email: str | None = None
    provider: str = "stripe"


def reasons(customer: Customer, *tags: str) -> dict[str, str]:
    """Why each tag is suggested, the best first."""
    found = Suggester(tags).suggest([customer])
    return {each.tag_value: each.reason for each in found.get(("stripe", "cus_1"), ())}


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Acme Robotics, Inc.", "acme-robotics"),
        ("Müller & Söhne GmbH & Co. KG", "muller_sohne"),
        ("THE BIG Company Ltd", "Big"),
        ("Société Générale S.A.", "societegenerale"),
        ("日本電気", "日本電気"),
        ("Straße 7 AG", "strasse-7"),
    ],
)
def test_names_are_the_same_whatever_their_case_accents_and_legal_form(name: str, tag: str) -> None:
    why = f"name is the same: {name} ~ {tag}"
    assert reasons(Customer("cus_1", name), "other", tag) == {tag: why}


@pytest.mark.parametrize(
    ("name", "tag", "why"),
    [
        ("Initech LLC", "initech-prod", "name has the same words"),
        ("Acme Robotics Europe", "acme-robotics", "name has the same words"),
        ("Northwind Traders", "nortwind-traders", "name is similar"),
    ],
)
def test_names_need_not_be_the_same(name: str, tag: str, why: str) -> None:
    assert reasons(Customer("cus_1", name), tag) == {tag: f"{why}: {name} ~ {tag}"}


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Blue Labs", "red-labs"),
        ("Labs", "blue-labs"),
        ("Customer 12", "customer-13"),
        ("Acme", "acne"),
        ("Inc.", "ltd"),
        ("...", "---"),
        ("Ax", "axiom"),
    ],
)
def test_what_many_names_have_is_no_reason(name: str, tag: str) -> None:
    assert reasons(Customer("cus_1", name), tag) == {}


@pytest.mark.parametrize(
    ("email", "tag"),
    [
        ("billing@acme.io", "acme"),
        ("billing@acme.io", "acme.io"),
        ("a@pay.acme.co.uk", "acme"),
        ("A@ACME.IO ", "https://www.acme.io/"),
    ],
)
def test_a_mail_domain_tells_a_company(email: str, tag: str) -> None:
    domain = email.strip().casefold().partition("@")[2]
    assert reasons(Customer("cus_1", None, email), tag) == {tag: f"e-mail domain {domain}"}


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.jp", "web.de", "gmx.net", "QQ.com"])
def test_mail_for_everybody_tells_nothing(domain: str) -> None:
    tags = (domain, domain.partition(".")[0].casefold())
    assert reasons(Customer("cus_1", None, f"somebody@{domain}"), *tags) == {}


def test_the_whole_address_may_be_the_tag() -> None:
    found = reasons(Customer("cus_1", None, "me@gmail.com"), "me@gmail.com", "you@gmail.com")
    assert found == {"me@gmail.com": "e-mail is the same: me@gmail.com"}


def test_the_surest_comes_first_and_only_so_many_come() -> None:
    acme = Customer("cus_1", "Acme Robotics", "a@acme.io")
    tags = ["acme-robotics-eu", "acme", "acme-robotics", "acme-robotic", "acme.io"]
    assert [*reasons(acme, *tags)] == ["acme-robotics", "acme", "acme.io"]


def test_what_was_turned_down_is_not_suggested_again() -> None:
    acme = Customer("cus_1", "Acme")
    assert Suggester(["acme"], {("stripe", "cus_1", "acme")}).suggest([acme]) == {}
    assert Suggester(["acme"], {("other", "cus_1", "acme")}).suggest([acme])


def test_a_tag_has_the_customers_that_it_may_belong_to() -> None:
    customers = [Customer("cus_2", "Acme Europe"), Customer("cus_1", "Acme")]
    found = by_tag(Suggester(["acme", "zeta"]).suggest(customers))
    assert [each.customer_id for each in found["acme"]] == ["cus_1", "cus_2"]
    assert [*found] == ["acme"]
    assert [
        each.customer_id for each in by_tag(Suggester(["acme"]).suggest(customers), 1)["acme"]
    ] == ["cus_1"]


def test_a_word_of_too_many_tags_tells_nothing() -> None:
    tags = [f"acme-{number}" for number in range(21)]
    assert reasons(Customer("cus_1", "Acme"), *tags) == {}
    assert len(reasons(Customer("cus_1", "Acme"), *tags[:20])) == 3


def test_names_and_hosts_are_taken_apart() -> None:
    assert simplified("Acme, Inc.").words == ("acme",)
    assert simplified("A.C.M.E. 42").numbers == ("42",)
    assert simplified("Inc").words == ("inc",)
    assert host_of("not a host") == host_of("localhost") == host_of("") == ""
    assert company_of_host("co.uk") == "co"
    assert company_of_host("") == ""
    assert mail_domain("no address") is None
    assert mail_domain("a@b@acme.io") == "acme.io"


def test_a_customer_is_looked_at_once() -> None:
    looked_at: list[str] = []

    class Watched(NamedTuple):
        customer_id: str
        provider: str = "stripe"
        email: str | None = None

        @property
        def name(self) -> str:
            looked_at.append(self.customer_id)
            return "Acme"

    suggester = Suggester(["acme"])
    first = suggester.suggest([Watched("cus_1")])
    seen = len(looked_at)
    assert suggester.suggest([Watched("cus_1")]) == first
    assert len(looked_at) == seen
    suggester.suggest([Watched("cus_2")])
    assert looked_at[-1] == "cus_2"


def test_a_similar_name_is_found_though_many_tags_share_its_letters() -> None:
    """What too many tags share is passed over in the search, and counts in the comparison."""
    many = [f"traders-{number}x" for number in range(60)]
    found = reasons(Customer("cus_1", "Northwind Traders"), "nortwind-traders", *many)
    why = "name is similar: Northwind Traders ~ nortwind-traders"
    assert found == {"nortwind-traders": why}
