"""What a CSV file of mappings says, and the one to fill in."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.dashboard.matching.filling import HEADER, file_to_fill
from nullspend_margins.dashboard.matching.previewing import wanted_of
from nullspend_margins.dashboard.matching.upload import MAX_FILE_BYTES, UploadRow, read_upload
from nullspend_margins.domain.mapping_changes import Wanted
from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from nullspend_margins.services.unmatched import Unmatched
from nullspend_margins.storage.revenue import CustomerProfile
from tests.properties.profile import examples

ROWS = [UploadRow(2, "", "cus_1", "acme"), UploadRow(3, "", "cus_2", "Zeta, Ltd; x")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_of_every_program_are_read(delimiter: str, bom: bytes, end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([["customer_id", "tag_value"], ["cus_1", " acme "], ["cus_2", "Zeta, Ltd; x"]])
    found = read_upload(bom + text.getvalue().encode())
    assert found.rows == ROWS
    assert (found.problems, found.blank, found.remarks) == ([], 0, [])


@pytest.mark.parametrize(
    ("header", "remark"),
    [
        ("customer_id,tag_value", None),
        ("Stripe Customer ID,Tag Value", None),
        ("stripeCustomerId,tagValue", None),
        ("Stripe ID,tag", "The column Stripe ID is taken for the customer id."),
        ("id,tenant", "The column id is taken for the customer id."),
        ("customer_id,slug", "The column slug is taken for the tag value."),
    ],
)
def test_columns_are_known_by_their_usual_names(header: str, remark: str | None) -> None:
    found = read_upload(f"{header}\ncus_1,acme\n".encode())
    assert found.rows == ROWS[:1]
    assert (remark in found.remarks) if remark else not found.remarks


def test_the_margin_table_as_csv_can_be_sent_back() -> None:
    content = "Customer,Stripe ID,Tag Value,Revenue ($)\nAcme,cus_1,acme,1.00\n"
    found = read_upload(content.encode())
    assert found.rows == ROWS[:1]
    assert found.remarks == [
        "The column Stripe ID is taken for the customer id, and not the column Customer."
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not empty"),
        (b"\xff\xfec\x00", "UTF-16"),
        (b"\n", "first line"),
        (b"cus_1,acme\n", "no column for the customer id and the tag value"),
        (b"customer_id,name\ncus_1,acme\n", "no column for the tag value"),
        (b'"customer_id,tag_value\ncus_1,acme\n', "first line"),
        (b"x" * (MAX_FILE_BYTES + 1), "1,048,576 bytes"),
    ],
)
def test_what_is_no_such_file_is_told(content: bytes, told: str) -> None:
    with pytest.raises(ValidationFailed, match=told):
        read_upload(content)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"cus_1", "It has 1 fields, the first line has 2."),
        (b"cus_1,a,b", "It has 3 fields, the first line has 2."),
        (b"cus_1,\xe4cme", "The tag value is not UTF-8."),
        (b"cus\xe4,acme", "The customer id is not UTF-8."),
        (b",acme", "The customer id must not be empty."),
        (b"cus_1,a\x00b", "control characters"),
        (b"cus_1," + b"x" * 257, "at most 256 characters"),
        (b"cus_1,\"a\nb\"", "control characters"),
        (b"cus_1,\"a\"b", "can't be read as CSV"),
        (b"cus_1,\"acme", "can't be read as CSV"),
    ],
)  # fmt: skip
def test_a_line_that_can_not_be_used_is_told_with_its_number(line: bytes, told: str) -> None:
    found = read_upload(b"customer_id,tag_value\ncus_0,zero\n" + line)
    if line == b"cus_1":
        assert (found.blank, found.problems) == (1, [])  # there is no tag value
        return
    assert [row.customer_id for row in found.rows] == ["cus_0"]
    assert [(each.line, told in each.text) for each in found.problems] == [(3, True)]


def test_lines_after_one_that_goes_on_have_their_own_numbers() -> None:
    content = 'customer_id,tag_value,note\ncus_1,acme,"two\nlines"\n\ncus_2,zeta,\ncus_3,,\n,,\n'
    found = read_upload(content.encode())
    assert [row.line for row in found.rows] == [2, 5]
    assert found.blank == 1


def test_there_is_a_most_of_lines() -> None:
    lines = [f"cus_{at},tag {at}" for at in range(MOST_AT_ONCE + 1)]
    most = "\n".join(["customer_id,tag_value", *lines[:-1], *["cus_x,"] * 100])
    assert len(read_upload(most.encode()).rows) == MOST_AT_ONCE
    with pytest.raises(ValidationFailed, match="5,000 lines"):
        read_upload("\n".join(["customer_id,tag_value", *lines]).encode())


def test_a_line_without_a_provider_means_the_one_that_knows_the_customer() -> None:
    rows = [
        UploadRow(2, "", "c_1", "a"),
        UploadRow(3, "", "both", "b"),
        UploadRow(4, "", "new", "c"),
        UploadRow(5, "ledger", "new", "d"),
    ]
    acme = CustomerProfile("", "", "Acme", None, None, 1)
    known = {"ledger": {"c_1": acme, "both": acme}, "stripe": {"both": acme}}
    found = [each.provider for each in wanted_of(rows, known, ["ledger", "stripe"])]
    assert found == ["ledger", "stripe", "stripe", "ledger"]
    assert wanted_of(rows[2:3], {}, ["csv"]) == [Wanted("csv", "new", "c")]


def unmatched(*customers: tuple[str, str | None, str | None], tags: list[str]) -> Unmatched:
    return Unmatched(
        customers=[
            CustomerProfile("stripe", customer_id, name, email, None, -1_500_000)
            for customer_id, name, email in customers
        ],
        tags=[(tag, 1, 1) for tag in tags],
        pending=[],
    )


def test_the_file_to_fill_in_has_suggestions_and_fills_in_none() -> None:
    found = file_to_fill(
        unmatched(("cus_1", "Acme Inc", "a@x.io"), ("cus_2", None, None), tags=["acme"]),
    )
    assert found.decode() == (
        ",".join(HEADER) + "\r\n"
        "cus_1,,stripe,Acme Inc,a@x.io,-1.50,acme,name is the same: Acme Inc ~ acme\r\n"
        "cus_2,,stripe,,,-1.50,,\r\n"
    )
    assert read_upload(found).rows == []
    assert read_upload(found).blank == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_the_file_is_a_formula(start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    found = file_to_fill(unmatched((evil, evil, evil), tags=[evil])).decode()
    (_, cells) = csv.reader(io.StringIO(found))
    texts = [cell for at, cell in enumerate(cells) if cell and HEADER[at] != "revenue_usd"]
    assert not [cell for cell in texts if cell.startswith(start)]
    assert cells[0] == f"'{evil}"


storable = st.text(min_size=1, max_size=20).filter(
    lambda text: text_problem(text) is None and text == text.strip() and not text.startswith("'")
)


@examples(100)
@given(st.lists(st.tuples(storable, storable), max_size=5))
def test_what_is_filled_in_comes_back(pairs: list[tuple[str, str]]) -> None:
    customers = [(customer_id, None, None) for customer_id, _ in pairs]
    empty = file_to_fill(unmatched(*customers, tags=[])).decode()
    records = [*csv.reader(io.StringIO(empty, newline=""))]
    text = io.StringIO(newline="")
    for record, pair in zip(records[1:], pairs, strict=True):
        record[1] = pair[1]
    csv.writer(text).writerows(records)
    found = read_upload(text.getvalue().encode())
    assert [(row.customer_id, row.tag_value) for row in found.rows] == [
        (customer, tag) for customer, tag in pairs
    ]
    assert found.problems == []
