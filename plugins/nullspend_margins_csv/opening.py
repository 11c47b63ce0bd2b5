"""A source as an open file, whether it is a text, a URL or in the folder."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import BinaryIO

from nullspend_margins import Outbound
from nullspend_margins_csv.download import download, temporary_file
from nullspend_margins_csv.failures import NotThere
from nullspend_margins_csv.folder import open_below
from nullspend_margins_csv.settings import CsvSettings
from nullspend_margins_csv.sources import NO_FOLDER, Source
from nullspend_margins_csv.threads import in_thread, open_in_thread


@asynccontextmanager
async def opened(
    source: Source, settings: CsvSettings, outbound: Callable[[], Outbound]
) -> AsyncIterator[BinaryIO]:
    """The file, closed at the end of the block.

    Raises what ``download`` and ``open_below`` raise; when the block comes to its end,
    ``ProviderUnavailable`` for a file that was changed meanwhile.
    """
    if source.where == "content":
        yield io.BytesIO(source.text.encode())
    elif source.where == "url":
        file = await open_in_thread(temporary_file)
        try:
            await download(source.text, file, outbound(), settings)
            yield file
        finally:
            await in_thread(file.close)
    else:
        if settings.folder is None:
            raise NotThere(f"The file {NO_FOLDER}.")
        here = await open_in_thread(
            partial(open_below, settings.folder, source.text, settings.max_bytes)
        )
        try:
            yield here.file
            await in_thread(here.require_unchanged)
        finally:
            await in_thread(here.close)
