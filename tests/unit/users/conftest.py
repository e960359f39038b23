"""A table of users, and one of sessions, for every test here."""

import pytest

from tests import table_making
from ws_lambda.session_store import DjangoSession
from ws_lambda.users.user_row import UserRow


@pytest.fixture(autouse=True)
def tables(dynamodb: list[str], nobody_listens: None) -> None:
    table_making.create(UserRow, DjangoSession)
