"""Rows of every format, and files that are broken in every way."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing import (
    Charge,
    ChargeMaker,
    ImportOptions,
    find_layout,
    open_rows,
)
from nullspend_margins.importing.rows import MAX_LINE_BYTES, SAMPLE_BYTES
from tests.importing.writing import WRITERS, read, told

ROWS = [
    {"customer": "acmé, \"Inc\"; x", "day": "2026-10-01", "cost": "1.5", "model": "gpt-4o"},
    {"customer": "", "day": "2026-10-02", "cost": "-0.5", "model": "gpt-4o"},
]  # fmt: skip
HEAD = b"customer,day,cost\n"
GOOD = b"acme,2026-10-01,1\n"


def put(tmp_path: Path, content: bytes, name: str = "costs.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def refused(path: Path, **options: object) -> str:
    with pytest.raises(ValidationFailed) as caught:
        read(path, **options)
    return caught.value.message


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_charges(tmp_path: Path, name: str) -> None:
    charges = read(WRITERS[name](ROWS, tmp_path / "costs"))
    assert all(isinstance(each, Charge) for each in charges)
    assert [(each.customer, each.cost, each.model) for each in charges] == [  # type: ignore[union-attr]
        (ROWS[0]["customer"], 15 * 10**26, "gpt-4o"),
        ("", -5 * 10**26, "gpt-4o"),
    ]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_csv_is_read_in_the_dialect_that_its_header_shows(
    tmp_path: Path, newline: bytes, delimiter: bytes
) -> None:
    header = delimiter.join([b"customer", b'"a,b;c"', b"day", b"cost"])
    row = delimiter.join([b"x", b'"1\n2"', b"2026-10-01", b"2"])
    path = put(tmp_path, newline.join([header, row, b"", row]))
    lines = [(each.line, each.cost) for each in read(path) if isinstance(each, Charge)]
    assert lines == [(2, 2 * 10**27), (5, 2 * 10**27)]


def test_a_header_that_may_be_read_in_two_ways_is_a_choice(tmp_path: Path) -> None:
    path = put(tmp_path, b"customer,day;cost\n")
    assert "--delimiter" in refused(path)
    assert "No column" in refused(path, delimiter="comma")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"caf\xe9,2026-10-01,1\n", "2: is not UTF-8 at byte 4"),
        (b"a\0b,2026-10-01,1\n", "2: has a NUL character"),
        (b"a,2026-10-01\n", "2: has 2 fields, the header has 3"),
        (b"a,2026-10-01,1,5\n", "2: has 4 fields, the header has 3"),
        (b'"a"b,2026-10-01,1\n', "2: is no CSV"),
        (b"a,01/10/2026,1\n", "2: day: '01/10/2026' is no date"),
        (b"a\x07,2026-10-01,1\n", "2: customer: must not contain control characters"),
        (b"a,2026-10-01,\n", "2: cost: is empty"),
        (b"a" * (MAX_LINE_BYTES + 5) + b"\n", "2: is longer than 1,048,576 bytes"),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_by_line_and_the_next_is_read(
    tmp_path: Path, row: bytes, problem: str
) -> None:
    path = put(tmp_path, HEAD + row + GOOD)
    [first, second] = read(path)
    assert str(first).startswith(problem)
    assert isinstance(second, Charge)
    assert second.line == 3


def test_a_quote_that_is_never_closed_is_told_where_it_opens(tmp_path: Path) -> None:
    path = put(tmp_path, HEAD + GOOD + b'"acme,2026-10-01,1\n' + GOOD)
    [problem] = told(path)
    assert problem.startswith("3: is no CSV: unexpected end of data")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        ("customer,day,cost\n".encode("utf-16"), "is UTF-16"),
        (b"acme,2026-10-01,1\n", "No column for customer, cost, date"),
        (b'[{"customer": "a"}]', "one JSON array"),
        (gzip.compress(HEAD + GOOD * 99, mtime=0)[:-12], "is damaged or cut short"),
        (gzip.compress(HEAD, mtime=0)[:15], "is damaged or cut short"),
        (b"PAR1 and nothing else", "is no whole Parquet file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in refused(put(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"customer,day,cost\racme,2026-10-01,1\r", "do lines end with a line feed?"),
        ("customer,day,cost,co\u00fbt\nacme,2026-10-01,1,2\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_header_that_cannot_be_read_is_the_files_fault_and_not_that_of_the_next_row(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    message = refused(put(tmp_path, content))
    assert "its first line" in message
    assert reason in message


def test_what_is_wrong_inside_of_broken_quotes_is_not_held_against_the_next_row(
    tmp_path: Path,
) -> None:
    path = put(tmp_path, HEAD + b'"a\0"b,2026-10-01,1\n' + GOOD)
    assert [problem.partition(":")[0] for problem in told(path)] == ["2"]


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.csv")
    assert "directory" in refused(tmp_path)


def test_rows_of_nothing_as_spreadsheets_end_with_are_passed_over(tmp_path: Path) -> None:
    path = put(tmp_path, HEAD + GOOD + b",,\n" + GOOD + b",,\n,\n\n")
    assert [each.line for each in read(path) if isinstance(each, Charge)] == [2, 4]
    assert len(read(path)) == 2


def test_long_tags_of_many_rows_are_not_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "costs.jsonl"
    with path.open("w") as file:
        for n in range(400):
            tags = json.dumps({"customer": f"c{n}", "note": "x" * 50_000})
            file.write(json.dumps({"day": "2026-10-01", "cost": "1", "tags": tags}) + "\n")
    options = ImportOptions(org_id="o", customer_tag="customer")
    with closing(open_rows(path, options)) as reader:
        maker = ChargeMaker(find_layout(reader.columns, options), options)
        tracemalloc.start()
        try:
            count = sum(isinstance(each, Charge) for each in maker.charges(reader))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == 400
    assert peak < 5_000_000


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(put(tmp_path, HEAD)) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "3: is no JSON"),
        (b'{"customer": "\xff"}', "3: is no JSON"),
        (b"[1]", "3: is no JSON object"),
        (b"[" * 100_000, "3: is no JSON"),
        (b'{"customer": "a", "cost": 1}', "3: day: is empty"),
        (b'{"customer": true, "day": "2026-10-01", "cost": 1}', "3: customer: True is no text"),
        (b'{"customer": {}, "day": "2026-10-01", "cost": 1}', "3: customer: {} is no text"),
        (b'{"customer": "a", "day": {}, "cost": 1}', "3: day: is a list or an object"),
        (b'{"customer": "a", "day": "2026-10-01", "model": [], "cost": 1}', "3: model: is a list"),
        (b'{"x": "' + b"a" * MAX_LINE_BYTES + b'"}', "3: is longer than"),
    ],
)  # fmt: skip
def test_a_bad_line_of_json_is_told(tmp_path: Path, line: bytes, problem: str) -> None:
    good = b'{"customer": "a", "day": "2026-10-01", "cost": 0.1, "model": "m"}\n'
    [first, second, third] = read(put(tmp_path, good + b"\n" + line + b"\n" + good, "costs.jsonl"))
    assert isinstance(first, Charge)
    assert str(second).startswith(problem), second
    assert isinstance(third, Charge)


def test_no_digit_of_a_number_in_json_is_lost(tmp_path: Path) -> None:
    lines = b'{"tag": 7, "day": "2026-10-01", "cost": 0.100000000000000000000000001}\n'
    [charge] = read(put(tmp_path, lines))
    assert isinstance(charge, Charge)
    assert (charge.customer, charge.cost) == ("7", 10**26 + 1)


def test_a_member_that_comes_too_late_is_a_problem_and_not_ignored(tmp_path: Path) -> None:
    good = {"customer": "a", "day": "2026-10-01", "cost": 1, "note": "x" * 1000}
    late = [{**good, "requests": 5}, {**good, "remark": 5}]
    count = SAMPLE_BYTES // 1000 + 1
    lines = [*[good] * count, *late]
    [problem] = told(put(tmp_path, "\n".join(map(json.dumps, lines)).encode()))
    assert problem.startswith(f"{count + 1}: requests: comes here for the first time")


@pytest.mark.parametrize("name", WRITERS)
def test_how_much_is_read_grows_to_all(tmp_path: Path, name: str) -> None:
    reader = open_rows(WRITERS[name](ROWS * 20, tmp_path / "costs"), ImportOptions())
    for _ in reader.rows(["cost", "day"]):
        assert 0 <= reader.fraction() <= 1
    assert reader.fraction() == 1
    reader.close()
