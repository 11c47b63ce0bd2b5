"""Properties: whatever is drawn, the product does what a model of plain loops does."""

import pytest

# These compare too, and tell as much of a difference as a test does.
pytest.register_assert_rewrite("tests.properties.sync_machine", "tests.properties.sync_happenings")
