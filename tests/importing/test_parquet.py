"""Rows of Parquet files, of many types and broken in many ways."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from nullspend_margins.importing import Charge
from tests.importing.test_readers import ROWS, put, refused
from tests.importing.writing import WRITERS, read


def test_parquet_has_values_of_many_types(tmp_path: Path) -> None:
    path = tmp_path / "costs.parquet"
    amounts = [Decimal("1.250000001"), None, Decimal(-2)]
    times = [datetime(2026, 10, 31, 23), datetime(2026, 11, 1), None]  # noqa: DTZ001
    table = pyarrow.table(
        {
            "customer": pyarrow.array(["a", None, "a"]).dictionary_encode(),
            "cost": pyarrow.array(amounts, pyarrow.decimal128(38, 9)),
            "time": pyarrow.array(times, pyarrow.timestamp("ns")),
            "requests": pyarrow.array([1, 2, None], pyarrow.int32()),
            "unused": pyarrow.array([{"x": 1}] * 3),
        }
    )
    pyarrow.parquet.write_table(table, path)
    first, second, third = read(path)
    assert isinstance(first, Charge)
    assert (first.customer, first.cost, first.requests) == ("a", 1250000001 * 10**18, 1)
    assert str(second) == "2: cost: is empty"
    assert str(third) == "3: time: is empty"


def test_days_of_parquet_are_days_and_floats_are_what_they_show(tmp_path: Path) -> None:
    path = tmp_path / "costs.parquet"
    table = pyarrow.table({"customer": [1], "cost": [0.1], "day": [date(2026, 10, 31)]})
    pyarrow.parquet.write_table(table, path)
    [charge] = read(path)
    assert isinstance(charge, Charge)
    assert (charge.customer, charge.cost) == ("1", 10**26)


@pytest.mark.parametrize(
    "far", [pyarrow.array([2**62], pyarrow.timestamp("us")), pyarrow.array([2**31 - 1], "date32")]
)
def test_a_time_of_parquet_that_python_has_not_is_told(tmp_path: Path, far: pyarrow.Array) -> None:
    path = tmp_path / "costs.parquet"
    table = pyarrow.table({"customer": ["a"], "day": far, "cost": ["1"]})
    pyarrow.parquet.write_table(table, path)
    assert "has a value that can't be read after row 0" in refused(path)


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, keep: float) -> None:
    path = WRITERS["parquet"](ROWS * 50, tmp_path / "costs.parquet")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    assert "is no whole Parquet file" in refused(path)


def test_a_damaged_page_of_parquet_is_told_by_row(tmp_path: Path) -> None:
    path = WRITERS["parquet"](ROWS * 50, tmp_path / "costs.parquet")
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(bytes(content))
    assert "is damaged after row 0" in refused(path)


def test_parquet_in_gzip_is_to_be_unpacked(tmp_path: Path) -> None:
    path = WRITERS["parquet"](ROWS, tmp_path / "costs.parquet")
    assert "unpack it" in refused(put(tmp_path, gzip.compress(path.read_bytes())))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path) -> None:
    path = put(tmp_path, b"PAR1", "costs.parquet")
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from nullspend_margins.errors import ConfigurationError\n"
        "from nullspend_margins.importing import ImportOptions, open_rows\n"
        f"try: open_rows(Path({str(path)!r}), ImportOptions())\n"
        "except ConfigurationError as problem: print(problem.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert 'pip install "nullspend-margins[parquet]"' in done.stdout
