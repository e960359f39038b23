"""The answer of a WSGI application, in the form that the sender of the event expects."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden import golden
from ws_lambda.sources import wsgi
from ws_lambda.testing import invoke


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    wsgi._translated.cache_clear()
    yield
    wsgi._translated.cache_clear()


class Closing:
    """A body in pieces, which wants to be closed."""

    closed = False

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if piece == b"!":
                raise RuntimeError("of its own")
            yield piece

    def close(self) -> None:
        self.closed = True


def answer(monkeypatch: pytest.MonkeyPatch, application: Any, kind: str = "http_api") -> dict[str, Any]:
    monkeypatch.setattr(wsgi, "_application", lambda: application)
    return invoke(golden(f"http/{kind}"))


def test_pieces_are_collected_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    body = Closing(b"two ", b"pieces")

    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"written, then ")
        return body

    assert answer(monkeypatch, application)["body"] == "written, then two pieces"
    assert body.closed


def test_the_case_of_a_media_type_has_no_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", 'TEXT/HTML; boundary="Aa"')])
        return [b"<p>"]

    answered = answer(monkeypatch, application)
    assert (answered["isBase64Encoded"], answered["body"]) == (False, "<p>")
    assert answered["headers"]["content-type"] == 'text/html; boundary="Aa"'


def test_a_body_that_breaks_off_is_closed_and_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    body = Closing(b"half", b"!")

    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    with pytest.raises(RuntimeError, match="of its own"):
        answer(monkeypatch, application)
    assert body.closed


def test_an_application_may_think_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """PEP 3333: with `exc_info`, and nothing sent, the second call replaces the first."""

    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("X-First", "1")])
        start_response("500 Internal Server Error", [("X-Second", "2")], (ValueError, ValueError(), None))
        return [b"sorry"]

    found = answer(monkeypatch, application)
    assert (found["statusCode"], found["headers"]) == (500, {"x-second": "2"})


def test_more_cookies_than_one_spelling_has_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("set-cookie", f"c{number}=1") for number in range(20)])
        return []

    headers = answer(monkeypatch, application, "load_balancer")["headers"]
    assert len(headers) == 20
    assert {name.lower() for name in headers} == {"set-cookie"}


def test_a_status_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response("299 Fine", [])
        return []

    assert answer(monkeypatch, application, "load_balancer")["statusDescription"] == "299"


def test_without_a_wsgi_application_django_itself_answers(settings: Any) -> None:
    assert settings.WSGI_APPLICATION is None
    settings.ALLOWED_HOSTS = ["*"]
    found = invoke(golden("http/http_api"))
    assert found["statusCode"] == 404
    assert "text/html" in found["headers"]["content-type"]
