"""A table of users, and one of sessions, for every test here."""

import pytest

from tests import table_making
from ws_lambda.models.django_sessions import DjangoSession
from ws_lambda.users.tables import UserItem


@pytest.fixture(autouse=True)
def tables(dynamodb: list[str], nobody_listens: None) -> None:
    table_making.create(UserItem, DjangoSession)
