"""Tables for every test here, and no receiver of login signals."""

import pytest


@pytest.fixture(autouse=True)
def tables(ws_tables: list[str], nobody_listens: None) -> None:
    """Tables in which users are stored, in a project without WebSockets."""
