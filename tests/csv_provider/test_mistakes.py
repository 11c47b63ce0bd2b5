"""What is said of files that can't be read: the line, the column, and what was meant."""

from __future__ import annotations

import pytest

from nullspend_margins_csv.records import MOST_LINE_BYTES
from tests.csv_provider.support import HEADER, facts_of, problems_of

GOOD = "acme,2026-03-05,1\n"
FULL = "customer,date,amount,currency,kind,service_start,service_end\n"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("acme,2026-03-05,,,,,", "amount: is empty: write 0 where nothing was paid"),
        ('acme,2026-03-05,"1,50",,,,', "amount: '1,50' may be read in two ways"),
        ('acme,2026-03-05,"1,234.50",,,,', "amount: '1,234.50' may be read in two ways"),
        ("acme,2026-03-05,1 234,,,,", "amount: '1 234' may be read in two ways"),
        ("acme,2026-03-05,$5,,,,", "amount: '$5' has a currency in it"),
        ("acme,2026-03-05,5 EUR,,,,", "amount: '5 EUR' has a currency in it"),
        ("acme,2026-03-05,(5),,,,", "amount: '(5)' is no number: write negative ones with a minus"),
        ("acme,2026-03-05,1e3,,,,", "amount: '1e3' is no number: write it as 1234.50"),
        ("acme,2026-03-05,1.005,,,,", "amount: '1.005' is finer than usd, which has 2 decimals"),
        ("acme,2026-03-05,1.5,jpy,,,", "amount: '1.5' is finer than jpy, which has 0 decimals"),
        ("acme,2026-03-05,99999999999999999999,,,,", "amount: is more than an amount can be"),
        ("acme,2026-03-05,-5,,refund,,", "amount: is negative, and a refund takes away by itself"),
        ("acme,2026-03-05,5,dollars,,,", "currency: 'dollars' is no currency: write its code"),
        ("acme,,5,,,,", "date: is empty: write YYYY-MM-DD"),
        ("acme,05.03.2026,5,,,,", "date: '05.03.2026' is no date: write YYYY-MM-DD"),
        ("acme,2026-02-30,5,,,,", "date: '2026-02-30' does not exist"),
        ("acme,46086,5,,,,", "date: '46086' is no date"),
        ("acme,1066-10-14,5,,,,", "date: must be in the years 1970 to 9998"),
        ("acme,2026-03-05,5,,refnd,,", "kind: 'refnd' is no kind. Did you mean refund?"),
        ("acme,2026-03-05,5,,chargeback,,", "kind: 'chargeback' is no kind. Did you mean dispute?"),
        ("acme,2026-03-05,5,,xyzzy,,", "kind: 'xyzzy' is no kind. Use one of invoice, bill,"),
        ("acme,2026-03-05,5,,,2026-03-01,", "service_end: is empty, and service_start is not"),
        ("acme,2026-03-05,5,,,,2026-04-01", "service_start: is empty: write YYYY-MM-DD"),
        (
            "acme,2026-03-05,5,,,2026-03-05,2026-03-05",
            "service_end: must be later than service_start: it is the first day after",
        ),
        (
            "acme,2026-03-05,5,,,1990-01-01,2090-01-01",
            "service_end: must be within 50 years of service_start",
        ),
        ('"a\nb",2026-03-05,5,,,,', "customer: must not contain control characters"),
        (f"{'a' * 257},2026-03-05,5,,,,", "customer: must be at most 256 characters"),
    ],
)
def test_a_cell_that_can_not_be_read_is_named_with_its_line(row: str, problem: str) -> None:
    good = "acme,2026-03-05,1,,,,\n"
    [found] = problems_of(FULL + good + row + "\n" + good)
    assert found.startswith(f"line 3, column {problem}")


def test_a_column_is_named_as_the_file_names_it() -> None:
    [found] = problems_of("Customer ID,Day,Amount\nacme,2026-03-05,x\n")
    assert found.startswith("line 2, column Amount: 'x' is no number")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: is no header: the first line must name the columns, customer,date,amount"),
        ("\n" + HEADER, "line 1: is no header"),
        (GOOD, "line 1: is no header"),
        ("{}", "line 1: is no header"),
        ("customer,date\n", "line 1: names no column amount"),
        ("customer,date,total amount\n", "line 1: names no column amount: is it 'total amount'?"),
        ("customer,date,amount_cents\n", "line 1: names no column amount: 'amount_cents' looks"),
        ("customer,amount,Dates\n", "line 1: names no column date: is it 'Dates'? Rename that"),
        ("customer,note\n", "line 1: names no column date and no column amount"),
        ("customer,date,amount,Day\n", "line 1: date and Day are both its date: rename one"),
        ("\ufeff" + HEADER[:-1] + "\r" + GOOD, "line 1: does not end with a line feed"),
    ],
)
def test_a_header_that_says_too_little_is_told_what_is_missing(text: str, problem: str) -> None:
    [found] = problems_of(text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER + GOOD + "acme,2026-03-05\n", "line 3: has 2 fields, and the header has 3"),
        (HEADER + "acme,2026-03-05,1,50\n", "line 2: has 4 fields, and the header has 3"),
        (HEADER + GOOD + '"acme,2026-03-05,1\n', "line 3: is no CSV (unexpected end of data)"),
        (HEADER + 'a"c"me,2026-03-05,1\n' + '"a"b,1,1\n', "line 3: is no CSV ("),
        (HEADER.encode() + b"acm\xe9,2026-03-05,1\n", "line 2: is not UTF-8 at byte 4: save"),
        ((HEADER + GOOD).encode("utf-16"), "line 1: is UTF-16: save the file as UTF-8"),
        (HEADER + "a\0b,2026-03-05,1\n", "line 2: has a NUL character"),
        (HEADER + "x" * MOST_LINE_BYTES + "\n", "line 2: is longer than 65,536 bytes"),
        (b"x" * 10_000_000, "line 1: is longer than 65,536 bytes"),
    ],
)
def test_a_file_that_is_no_csv_is_told_where_it_stops_being_one(
    text: str | bytes, problem: str
) -> None:
    assert problems_of(text)[-1].startswith(problem)


def test_a_quote_that_is_never_closed_does_not_take_the_whole_file_into_memory() -> None:
    [found] = problems_of(HEADER + '"' + GOOD * 100_000)
    assert found == (
        "line 2: is no CSV (field larger than field limit (131072)): are its quotes in pairs?"
    )


def test_lines_are_counted_as_they_stand_there_with_texts_of_several() -> None:
    text = (
        "customer,date,amount,description\n" + 'a,2026-03-05,1,"x\ny\nz"\n' + "\n,,,\n" + "a,b,1,\n"
    )
    [found] = problems_of(text)
    assert found.startswith("line 7, column date:")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_spreadsheets_may_save_it_in_their_way(delimiter: str, line_end: str) -> None:
    rows = (HEADER + GOOD + ",,\n").replace(",", delimiter).replace("\n", line_end)
    assert len(facts_of("\ufeff" + rows)) == 1


def test_columns_of_other_names_are_passed_over() -> None:
    [fact] = facts_of("x,Customer,x,DATE,amount,\n1,acme,2,2026-03-05,5,3\n")
    assert (fact.customer_id, fact.amount_minor) == ("acme", 500)
