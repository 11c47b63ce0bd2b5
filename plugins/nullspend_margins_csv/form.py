"""What people are asked for to connect a CSV file: its URL, the file itself, or its name."""

from __future__ import annotations

from nullspend_margins import ConnectField, ConnectForm, ConnectWay
from nullspend_margins_csv.settings import CsvSettings


def connect_form(settings: CsvSettings) -> ConnectForm:
    """The form; with files of the operator's folder where there is one."""
    ways = [_url(settings), _UPLOAD]
    if settings.folder is not None:
        ways.append(_FILE)
    return ConnectForm(
        title="CSV files",
        credential="file",
        about="Revenue from anywhere that can export a table: a line for each payment.",
        intro="A line of column names, customer, date and amount among them, then a line for each "
        "payment. All of the file is read at every sync.",
        ways=ways,
    )


def _url(settings: CsvSettings) -> ConnectWay:
    return ConnectWay(
        name="url",
        label="A file at a URL",
        help="Fetched anew at every sync, so new rows come in by themselves.",
        fields=(
            ConnectField(
                name="url",
                label="URL of the file",
                kind="url",
                secret=True,
                placeholder="https://exports.example.com/revenue.csv",
                help=f"https alone, up to {settings.max_megabytes} MB. A token may be in its "
                "query: the URL is kept encrypted, and only its host is shown.",
            ),
        ),
    )


_UPLOAD = ConnectWay(
    name="upload",
    label="Upload a file",
    help="It stays as it is until another one takes its place.",
    fields=(
        ConnectField(
            name="content",
            label="CSV file",
            kind="file",
            secret=True,
            accept=".csv,text/csv",
            help="Text in UTF-8, up to 1 MB. Give larger ones by a URL.",
        ),
    ),
)
_FILE = ConnectWay(
    name="file",
    label="A file on the server",
    help="Read anew at every sync.",
    fields=(
        ConnectField(
            name="file",
            label="Name of the file",
            placeholder="acme/revenue.csv",
            help="Within the folder that the operator has set aside.",
        ),
    ),
)
