"""HTTP requests of every kind, from the event through `lambda_handler` and the project to the answer, without Zappa."""

import base64
import json
from typing import Any

import pytest

from tests import function_process
from tests.golden import golden
from tests.http_site.urls import BYTES

GENERATED = "https://abc123.execute-api.eu-west-1.amazonaws.com"
KINDS = {
    # golden event → the origin that the client asked, and what stands before every URL of the project there
    "http_api": (GENERATED, ""),
    "http_api_stage": (GENERATED, "/dev"),
    "http_api_stage_custom_domain": ("https://api.example.com", ""),
    "http_api_format_1": (GENERATED, "/dev"),
    "rest_api": (GENERATED, "/dev"),
    "function_url": ("https://url-id.lambda-url.eu-west-1.on.aws", ""),
    "load_balancer": ("https://lb.example.com", ""),
    "load_balancer_multi_value": ("https://lb.example.com", ""),
}
LAST_ONLY = {"load_balancer"}
"""Sends the last value of a query parameter that comes twice."""


def asked(kind: str, path: str = "", method: str = "", **more: Any) -> dict[str, Any]:
    """The golden event of a kind, with another path of the project."""
    event = {**golden(f"http/{kind}"), **more}
    context = event["requestContext"]
    if path:
        key = "rawPath" if "rawPath" in event else "path"
        stage = context.get("stage", "$default")
        event[key] = f"/{stage}{path}" if "version" in event and stage != "$default" else path
    if method and "http" in context:
        context["http"]["method"] = method
    elif method:
        event["httpMethod"] = method
    return event


def with_header(event: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """The event with this header, in place of any of its name."""
    for key, sent in (("headers", value), ("multiValueHeaders", [value])):
        if key in event:
            kept = {one: old for one, old in event[key].items() if one.lower() != name.lower()}
            event[key] = {**kept, name: sent}
    return event


def binary(kind: str, body: bytes, content_type: str) -> dict[str, Any]:
    """The event with a body that is not text."""
    event = asked(kind, body=base64.b64encode(body).decode(), isBase64Encoded=True)
    return with_header(event, "content-type", content_type)


FORM = b'--b,1\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n' + BYTES + b"\r\n--b,1--\r\n"
PATHS = ("cookies", "bytes", "latin", "zipped", "text", "script", "stream", "away", "nothing", "slash", "no/such")


def events(kind: str) -> dict[str, dict[str, Any]]:
    """What each kind is asked."""
    return {
        "echo": asked(kind),
        "bytes in": binary(kind, BYTES, "application/octet-stream"),
        "form": binary(kind, FORM, 'multipart/form-data; boundary="b,1"'),
        "forged": with_header(with_header(asked(kind), "X_Forwarded_Proto", "http"), "X_Forwarded_For", "192.0.2.1"),
        **{path: asked(kind, f"/{path}", "GET", body=None) for path in PATHS},
    }


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, str], dict[str, Any]]:
    """(kind, what was asked) → the function's answer."""
    sent = {(kind, name): event for kind in KINDS for name, event in events(kind).items()}
    found = function_process.answers(list(sent.values()), settings="tests.http_site.settings")
    return {key: one.get("answer", one) for key, one in zip(sent, found, strict=True)}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def told(kind: str, answers: dict[tuple[str, str], dict[str, Any]]) -> Any:
    """What the echoing view was told, by the name of what was asked."""

    def of(name: str) -> Any:
        answer = answers[kind, name]
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])

    return of


@pytest.fixture
def answer(kind: str, answers: dict[tuple[str, str], dict[str, Any]]) -> Any:
    return lambda name: answers[kind, name]


def body(answer: dict[str, Any]) -> bytes:
    """The body as a client gets it."""
    assert isinstance(answer["body"], str)
    return base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()


def header(answer: dict[str, Any], name: str) -> str:
    """A header of the answer; "" if there is none."""
    found = {
        **answer.get("headers", {}),
        **{key: ", ".join(values) for key, values in answer.get("multiValueHeaders", {}).items()},
    }
    return next((value for key, value in found.items() if key.lower() == name), "")


def test_the_project_sees_the_request_as_the_client_sent_it(kind: str, told: Any) -> None:
    origin, prefix = KINDS[kind]
    seen = told("echo")
    assert seen["method"] == "POST"
    assert f"https://{seen['host']}" == origin
    assert seen["secure"] is True
    assert (seen["path"], seen["name"]) == ("/echo/café", "café")
    assert seen["query"] == {"a": ["2"] if kind in LAST_ONLY else ["1", "2"], "b": ["ü"]}
    assert seen["cookies"] == {"one": "1", "two": "2"}
    assert (seen["type"], base64.b64decode(seen["body"])) == ("application/json", b'{"say":"hi"}')
    assert seen["url"].partition("?")[0] == f"{origin}{prefix}/echo/caf%C3%A9"


def test_urls_that_the_project_makes_lead_back_to_it(kind: str, told: Any) -> None:
    assert told("echo")["reversed"] == f"{KINDS[kind][1]}/echo/again"


def test_a_missing_slash_is_redirected_within_the_stage(kind: str, answer: Any) -> None:
    assert answer("slash")["statusCode"] == 301
    assert header(answer("slash"), "location").partition("?")[0] == f"{KINDS[kind][1]}/slash/"


def test_the_address_is_what_aws_says(told: Any) -> None:
    """The first entry of X-Forwarded-For is whatever the client has sent."""
    assert told("echo")["address"] == "198.51.100.7"


def test_a_header_with_an_underscore_passes_for_no_other(told: Any) -> None:
    seen = told("forged")
    assert (seen["secure"], seen["address"]) == (True, "198.51.100.7")
    assert "192.0.2.1" not in json.dumps(seen)


def test_a_body_of_bytes_comes_in(told: Any) -> None:
    assert base64.b64decode(told("bytes in")["body"]) == BYTES


def test_a_file_comes_in_whatever_its_boundary(told: Any) -> None:
    assert base64.b64decode(told("form")["files"]["f"]) == BYTES


@pytest.mark.parametrize(
    ("path", "expected", "encoded"),
    [
        ("bytes", BYTES, True),
        ("zipped", BYTES, True),
        ("latin", "é".encode("latin-1"), True),
        ("text", "grüße".encode(), False),
        ("script", b"let a", False),
        ("stream", b"0 1 2 ", False),
    ],
)
def test_a_body_goes_out_as_it_is(answer: Any, path: str, expected: bytes, encoded: bool) -> None:
    found = answer(path)
    assert (found["statusCode"], body(found), found["isBase64Encoded"]) == (200, expected, encoded)
    assert header(found, "content-encoding") == ("gzip" if path == "zipped" else "")


@pytest.mark.parametrize(("path", "status"), [("away", 302), ("nothing", 204), ("slash", 301)])
def test_no_body_is_an_empty_string(answer: Any, path: str, status: int) -> None:
    assert (answer(path)["statusCode"], body(answer(path))) == (status, b"")


def test_an_unknown_path_is_not_found(answer: Any) -> None:
    assert answer("no/such")["statusCode"] == 404


def test_several_cookies_go_out(kind: str, answer: Any) -> None:
    found = answer("cookies")
    if "cookies" in found:
        cookies = found["cookies"]
    elif "multiValueHeaders" in found:
        cookies = found["multiValueHeaders"]["Set-Cookie"]
    else:
        cookies = [value for name, value in found["headers"].items() if name.lower() == "set-cookie"]
    assert [one.partition("=")[0] for one in cookies] == ["one", "two", "three"]
    assert body(found) == b"three"


def test_the_projects_wsgi_application_is_used_and_no_header_is_lost(answer: Any) -> None:
    assert header(answer("text"), "x-wrapped") == "yes, twice"


def test_a_load_balancer_is_told_the_reason_phrase(kind: str, answer: Any) -> None:
    expected = "204 No Content" if kind.startswith("load_balancer") else None
    assert answer("nothing").get("statusDescription") == expected
