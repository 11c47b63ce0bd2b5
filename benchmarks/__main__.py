"""Measures the product, side by side with named baselines: ``python -m benchmarks``.

    python -m benchmarks                       # everything: up to a quarter of an hour
    python -m benchmarks --quick               # less of everything: two minutes or three
    python -m benchmarks --only sync           # one benchmark; may be given more than once
    python -m benchmarks --write               # and put the results into docs/performance.md

Needs the extra ``test``. What is compared with what, and why: docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

from benchmarks import growth
from benchmarks.catalogue import BENCHMARKS
from benchmarks.databases import Engine, engines, versions
from benchmarks.machine import described
from benchmarks.page import HEAD, PAGE, cells_of, section, with_section
from benchmarks.results import Measure, Scale

_STARTED = time.monotonic()


def main(given: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 when a benchmark failed, 0 whatever it found."""
    options = _options(given)
    scale = Scale.QUICK if options.quick else Scale.FULL
    failed = False
    with engines() as found:
        machine = described(versions(found))
        for name in options.only or BENCHMARKS:
            try:
                measures = _measured(name, scale, found, options.events)
            except Exception as problem:  # the others are measured all the same
                _say(name, f"failed: {type(problem).__name__}: {problem}")
                failed = True
                continue
            text = section(measures, BENCHMARKS[name].described(scale), machine)
            _show(name, measures)
            if options.write:
                page = PAGE.read_text("utf-8")
                PAGE.write_text(with_section(page, name, text), "utf-8")
    _say("done", "a benchmark failed" if failed else "all measured")
    return int(failed)


def _measured(
    name: str, scale: Scale, found: Sequence[Engine], events: int | None
) -> list[Measure]:
    say = partial(_say, name)
    if name == "growth" and events is not None:
        return growth.run_with_events(scale, found, say, events=events)
    return BENCHMARKS[name].run(scale, found, say)


def _show(name: str, measures: Sequence[Measure]) -> None:
    rows = [(name, *HEAD[1:]), *map(cells_of, measures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip(), flush=True)
    print()


def _say(name: str, text: str) -> None:
    """To standard error: it is not a result."""
    print(f"{time.monotonic() - _STARTED:6.1f} s  {name}: {text}", file=sys.stderr, flush=True)


def _options(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--write", action="store_true", help="put the results into the docs")
    parser.add_argument("--events", type=int, help="events of the org in 'growth'")
    options = parser.parse_args(given)
    if options.write and (options.quick or options.events):
        parser.error("--write is for full runs: docs/performance.md tells of those")
    return options


if __name__ == "__main__":
    sys.exit(main())
