"""What the product adds to a host's start: time to import and build, time to answer, memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import ask
from benchmarks.results import Goal, Measure, Say, Scale, at_most

_NO_BYTE_CODE = "PYTHONDONTWRITEBYTECODE"
_SIDE = "benchmarks.startup_side"
_CONFIG = '[plans.orgs]\norg_bench = "pro"\n'

Steps = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Repetitions: each is three fresh interpreters."""

    rounds: int = 15


SIZES = {Scale.FULL: Size(), Scale.QUICK: Size(rounds=5), Scale.SMOKE: Size(rounds=1)}


def described(scale: Scale) -> str:
    """The sizes in words."""
    return f"{SIZES[scale].rounds} times three fresh interpreters, in turns, byte code compiled."


def run(scale: Scale, say: Say) -> list[Measure]:
    """The host alone, the product on a database that is there, and on one that is not."""
    hosts: list[Steps] = []
    present: list[Steps] = []
    absent: list[Steps] = []
    with tempfile.TemporaryDirectory(prefix="margins-benchmark-") as folder:
        config = _config(Path(folder) / "present")
        environment = _compiling(Path(folder) / "bytecode")
        _ask(str(config), environment)  # compiles, and makes the database
        rounds = SIZES[scale].rounds
        say(f"{rounds} rounds")
        for nth in range(rounds):
            hosts.append(_ask("", environment))
            present.append(_ask(str(config), environment))
            absent.append(_ask(str(_config(Path(folder) / str(nth))), environment))
    return [
        _added("import", "ms", [each["import"]["ms"] for each in present]),
        _added(
            "import and Margins.from_toml",
            "ms",
            [each["import"]["ms"] + each["build"]["ms"] for each in present],
            at_most(150),
        ),
        _added("first request", "ms", [each["first"]["ms"] for each in present]),
        _added("first request, which makes the database", "ms", [e["first"]["ms"] for e in absent]),
        _added("all of it", "ms", [_all(each) for each in present]),
        _added("memory after the import", "MB", _memory(present, "import", hosts)),
        _added(
            "memory after the first request", "MB", _memory(present, "first", hosts), at_most(40)
        ),
        _added(
            "memory after the first request, which makes the database",
            "MB",
            _memory(absent, "first", hosts),
        ),
        Measure("the host alone", "ms", [each["host"]["ms"] for each in hosts]),
        Measure("the host alone: memory", "MB", [each["host"]["resident_mb"] for each in hosts]),
    ]


def _config(folder: Path) -> Path:
    folder.mkdir()
    config = folder / "margins.toml"
    config.write_text(_CONFIG)
    return config


def _compiling(folder: Path) -> Mapping[str, str]:
    """This environment, with byte code in ``folder``.

    An installed package brings its byte code. A checkout has none where it is not to be written,
    and each start would compile the product, but not the host.
    """
    kept = {name: value for name, value in os.environ.items() if name != _NO_BYTE_CODE}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}


def _ask(config: str, environment: Mapping[str, str]) -> Steps:
    found: Any = ask(_SIDE, environment, config=config)
    return dict(found)


def _all(steps: Steps) -> float:
    return sum(steps[name]["ms"] for name in ("import", "build", "first"))


def _memory(products: list[Steps], step: str, hosts: list[Steps]) -> list[float]:
    return [
        its[step]["resident_mb"] - host["host"]["resident_mb"]
        for its, host in zip(products, hosts, strict=True)
    ]


def _added(name: str, unit: str, values: list[float], goal: Goal | None = None) -> Measure:
    return Measure(f"added: {name}", unit, values, goal)
