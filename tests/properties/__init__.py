"""Properties: whatever is drawn, the product does what a model of plain loops does."""

import pytest

# These compare too, and tell as much of a difference as a test does.
for name in ("sync_happenings", "sync_judgement", "sync_machine"):
    pytest.register_assert_rewrite(f"tests.properties.{name}")
