"""The session engine's async methods."""

import asyncio
import inspect
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.cache import SessionStore as CacheStore

from tests.unit.session_store.conftest import keys
from ws_lambda.session_store import SessionStore

FIXED = datetime(2026, 1, 1, tzinfo=UTC)
STORY: tuple[tuple[Any, ...], ...] = (
    ("aset", "a", 1),
    ("aget", "a"),
    ("aget", "b", "default"),
    ("asetdefault", "c", 3),
    ("aupdate", {"d": 4, "e": 5}),
    ("ahas_key", "d"),
    ("apop", "d"),
    ("apop", "d", "default"),
    ("akeys",),
    ("avalues",),
    ("aitems",),
    ("aset_test_cookie",),
    ("atest_cookie_worked",),
    ("adelete_test_cookie",),
    ("aget_expire_at_browser_close",),
    ("aset_expiry", 60),
    ("aget_expire_at_browser_close",),
    ("aget_expiry_age",),
    ("aget_expiry_date",),
    ("asave",),
    ("aload",),
    ("acycle_key",),
    ("aload",),
    ("aexists", "never-was-there"),
    ("adelete",),
    ("aload",),
    ("acreate",),
    ("aset", "f", 6),
    ("aflush",),
    ("akeys",),
    ("aclear_expired",),
)


def test_every_async_method_does_what_it_does_in_djangos_own_engine() -> None:
    async def told_by(session: SessionBase) -> list[Any]:
        answers: list[Any] = []
        for name, *args in STORY:
            more = {"modification": FIXED} if name == "aget_expiry_date" else {}
            answer = await getattr(session, name)(*args, **more)
            answers.append((name, sorted(answer, key=str) if isinstance(answer, Iterable) else answer))
        return answers

    assert asyncio.run(told_by(SessionStore())) == asyncio.run(told_by(CacheStore()))
    assert {name for name, *_ in STORY} == {
        name for name in vars(SessionBase) if name[0] == "a" and inspect.iscoroutinefunction(getattr(SessionBase, name))
    }


def test_a_life_of_async_methods() -> None:
    async def story() -> None:
        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        key = session.session_key
        assert key is not None
        assert await session.aexists(key)
        assert await SessionStore(key).aload() == {"a": 1}
        await session.acycle_key()
        assert not await session.aexists(key)
        assert await SessionStore(session.session_key).aget("a") == 1
        await SessionStore(session.session_key).adelete()
        with pytest.raises(UpdateError):
            await session.asave()
        await session.acreate()
        await session.aset_expiry(-10)
        await session.asave()
        await SessionStore.aclear_expired()
        await stored_async(session)
        await session.aflush()

    async def stored_async(session: SessionStore) -> None:
        assert keys() == set()
        await session.acreate()
        assert keys() == {session.session_key}

    asyncio.run(story())
    assert keys() == set()
