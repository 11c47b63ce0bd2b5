"""Files of costs, read: bytes to rows, rows to charges. Knows no database and no command line.

A reader (``csv_rows``, ``json_rows``, ``parquet_rows``) makes rows of a file, ``layout`` finds out
which column is which, ``charges`` makes a charge, or a problem, of each row.
"""

from nullspend_margins.importing.charges import Charge, ChargeMaker, LeftOut
from nullspend_margins.importing.layout import Layout, find_layout
from nullspend_margins.importing.opening import open_rows
from nullspend_margins.importing.options import ImportOptions
from nullspend_margins.importing.rows import Problem, RowReader

__all__ = [
    "Charge",
    "ChargeMaker",
    "ImportOptions",
    "Layout",
    "LeftOut",
    "Problem",
    "RowReader",
    "find_layout",
    "open_rows",
]
