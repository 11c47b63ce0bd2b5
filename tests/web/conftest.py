"""The web application over services that are fakes."""

import pytest

from tests.web.fakes import Web


@pytest.fixture
def web() -> Web:
    """The web layer over fakes, nothing configured."""
    return Web()
