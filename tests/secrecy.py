"""A pytest plugin that searches the logs of every test for its tokens, secrets and bodies.

The package and the project log at every level while a test runs; other loggers as they are set.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

SHORTEST = 12
"""Characters below which a text stands in a log by chance: `{}`, `general`, a number."""


class Heard:
    """What was confidential in a test."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.secrets: set[str] = set()
        self.bodies: set[str] = set()

    def hear_body(self, raw: bytes) -> None:
        """Notes a message, and every longer text in it."""
        text = raw.decode("utf-8", "replace")
        self.bodies.add(text)
        try:
            self.bodies.update(_texts(json.loads(text)))
        except (ValueError, RecursionError):
            return

    def leaks(self, said: str) -> list[str]:
        """The confidential texts that were logged."""
        found = []
        for kind, texts in (("token", self.tokens), ("secret", self.secrets), ("body", self.bodies)):
            found += [f"{kind} {one!r}" for one in texts if len(one) >= SHORTEST and one in said]
        return found


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value, but what names a handler, a route or a channel: ids, which logs may have."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name not in ("handler", "action", "channel"):
                yield from _texts(one)


@pytest.fixture(autouse=True)
def nothing_confidential_in_the_logs(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Heard]:
    """Fails a test that has logged a token that it minted, a secret that was compared, or a message that was read."""
    from ws_lambda import views
    from ws_lambda.gatekeeping import trust
    from ws_lambda.models import WebSocketToken

    heard = Heard()
    mint, compare, read = WebSocketToken.mint, trust.constant_time_compare, views.read_object

    def noted_mint(*args: Any, **kwargs: Any) -> str:
        token = mint(*args, **kwargs)
        heard.tokens.add(token)
        heard.secrets.add(kwargs["session_key"])
        return token

    def noted_compare(guess: str, secret: str) -> bool:
        heard.secrets |= {guess, secret}
        return compare(guess, secret)

    def noted_read(raw: bytes, max_size: int) -> dict[str, Any]:
        heard.hear_body(raw)
        return read(raw, max_size)

    monkeypatch.setattr(WebSocketToken, "mint", noted_mint)
    monkeypatch.setattr(trust, "constant_time_compare", noted_compare)
    monkeypatch.setattr(views, "read_object", noted_read)
    for name in ("ws_lambda", "project", "django.request", "django.security"):
        caplog.set_level(logging.DEBUG, name)
    yield heard
    records = [one for when in ("setup", "call") for one in caplog.get_records(when)]
    formatted = logging.Formatter()
    leaks = heard.leaks("\n".join(f"{formatted.format(one)} {vars(one)}" for one in records))
    assert not leaks, f"logged: {leaks}"
