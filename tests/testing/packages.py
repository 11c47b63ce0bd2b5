"""Distributions of plugins, installed as their users do, and their own tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PATIENCE_SECONDS = 300


def install(source: Path, folder: Path) -> Path:
    """A folder with the distribution in ``source`` installed in it, from a wheel."""
    copy = folder / "source"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return install_together(folder / "site", copy)


def install_together(site: Path, *sources: Path) -> Path:
    """``site``, with the distributions in ``sources`` installed in it, from wheels."""
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(site)]
    subprocess.run([*command, *map(str, sources)], check=True, capture_output=True)
    return site


def python(
    *arguments: str, cwd: Path, site: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Python in ``cwd``, with what is installed in ``site``."""
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(each) for each in (site, inherited) if each]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def run_tests(
    cwd: Path, *arguments: str, site: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """pytest in ``cwd`` with no other plugin of pytest than its own, as with pytest alone."""
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist", "-rsf")
    return python("-m", "pytest", *options, *arguments, cwd=cwd, site=site)
