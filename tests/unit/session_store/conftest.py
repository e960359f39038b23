"""A table of sessions for every test here, and a short way to fill it."""

from typing import Any

import pytest

from tests import table_making
from ws_lambda.session_store import DjangoSession, SessionStore


@pytest.fixture(autouse=True)
def table(dynamodb: None) -> None:
    table_making.create(DjangoSession)


def stored(**data: Any) -> SessionStore:
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def keys() -> set[str]:
    return {item.session_key for item in DjangoSession.scan()}
