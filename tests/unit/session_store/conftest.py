"""A table of sessions for every test here, and a short way to fill it."""

from typing import Any

import pytest

from ws_lambda.session_store import DjangoSession, SessionStore


@pytest.fixture(autouse=True)
def table(ws_tables: list[str]) -> None:
    """The table in which sessions are stored, with the others."""


def stored(**data: Any) -> SessionStore:
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def keys() -> set[str]:
    return {item.session_key for item in DjangoSession.scan()}
