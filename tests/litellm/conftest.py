"""These tests are there where LiteLLM is.

Installing it takes longer than all other tests, and its versions of packages need not be ours:
`.ci/run` gives it an environment of its own, in which it runs this folder alone. Elsewhere, in
the ordinary suite, nothing here is collected.
"""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec

import pytest

# Before anything imports LiteLLM: prices are those of the package, not of the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

collect_ignore_glob = ["test_*.py"] if find_spec("litellm") is None else []


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
