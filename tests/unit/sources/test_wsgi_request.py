"""Client address, host and path in the WSGI environment of an HTTP event."""

from types import SimpleNamespace
from typing import Any

import pytest
from apig_wsgi import make_lambda_handler
from django.core.handlers.wsgi import WSGIRequest
from django.views.debug import SafeExceptionReporterFilter

from tests.golden import golden
from ws_lambda.sources import packed_settings, wsgi_request


def environ(event: dict[str, Any]) -> dict[str, Any]:
    """The environment as the project gets it."""
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        wsgi_request.correct(environ, environ["apig_wsgi.full_event"])
        found.update(environ)
        start_response("204 No Content", [])
        return []

    make_lambda_handler(application)(wsgi_request.without_ambiguous_headers(event), None)
    return found


def path(event: dict[str, Any]) -> tuple[str, str]:
    found = environ(event)
    return found["SCRIPT_NAME"], found["PATH_INFO"].encode("latin-1").decode()


def balanced(forwarded_for: str | None, **headers: str) -> dict[str, Any]:
    event = golden("http/load_balancer")
    event["headers"] = {"host": "lb.example.com", **headers}
    if forwarded_for is not None:
        event["headers"]["x-forwarded-for"] = forwarded_for
    return event


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("10.0.0.1, 192.0.2.1,198.51.100.7", "198.51.100.7"),
        ("192.0.2.1, 198.51.100.7:51234", "198.51.100.7"),
        ("192.0.2.1, 2001:db8::7", "2001:db8::7"),
        ("192.0.2.1, [2001:db8::7]:51234", "2001:db8::7"),
        (None, ""),
    ],
)
def test_of_a_load_balancers_header_the_last_address_counts(forwarded_for: str | None, address: str) -> None:
    assert environ(balanced(forwarded_for))["REMOTE_ADDR"] == address


def test_a_load_balancer_may_listen_without_tls() -> None:
    plain = environ(balanced("198.51.100.7", **{"x-forwarded-proto": "http", "x-forwarded-port": "80"}))
    assert (plain["wsgi.url_scheme"], plain["SERVER_PORT"], "HTTPS" in plain) == ("http", "80", False)
    tls = environ(balanced("198.51.100.7", **{"x-forwarded-proto": "https"}))
    assert (tls["wsgi.url_scheme"], tls["SERVER_PORT"], tls["HTTPS"]) == ("https", "443", "on")


@pytest.mark.parametrize("kind", ["http_api", "rest_api", "http_api_format_1", "function_url"])
def test_no_header_changes_what_the_gateway_says(kind: str) -> None:
    event = golden(f"http/{kind}")
    for name in ("X-Forwarded-For", "X-Forwarded-Proto"):
        event["headers"] = {key: value for key, value in event["headers"].items() if key.lower() != name.lower()}
        event["headers"][name.lower()] = "192.0.2.1"
        if "multiValueHeaders" in event:
            event["multiValueHeaders"][name] = ["192.0.2.1"]
    found = environ(event)
    assert (found["REMOTE_ADDR"], found["wsgi.url_scheme"]) == ("198.51.100.7", "https")
    assert found["HTTP_X_FORWARDED_PROTO"] == "https", "SECURE_PROXY_SSL_HEADER goes by it"


@pytest.mark.parametrize("place", ["FORCE_SCRIPT_NAME", "zappa_settings"])
def test_a_base_path_is_taken_off_where_the_project_names_it(
    settings: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    mapped = golden("http/rest_api_custom_domain")
    assert path(mapped) == ("", "/live/echo/café"), "a mapping and a path of the project look alike"
    if place == "FORCE_SCRIPT_NAME":
        settings.FORCE_SCRIPT_NAME = "/live/"
    else:
        monkeypatch.setattr(packed_settings, "module", lambda: SimpleNamespace(BASE_PATH="live"))
    assert path(mapped) == ("/live", "/echo/café")
    assert path({**mapped, "path": "/live"}) == ("/live", "/")
    assert path({**mapped, "path": "/lively/echo"}) == ("/live", "/lively/echo")
    assert path(golden("http/rest_api"))[1] == "/echo/café"


def test_the_generated_domain_has_the_stage_and_not_the_base_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_settings, "module", lambda: SimpleNamespace(BASE_PATH="live"))
    assert path(golden("http/rest_api")) == ("/dev", "/echo/café")
    assert path(golden("http/http_api_stage")) == ("/dev", "/echo/café")
    assert path(golden("http/http_api_stage_custom_domain")) == ("/live", "/echo/café")


@pytest.mark.parametrize(
    ("raw", "expected"), [("/dev", "/"), ("/dev/", "/"), ("/developers", "/developers"), ("/", "/"), ("", "/")]
)
def test_only_a_whole_segment_is_the_stage(raw: str, expected: str) -> None:
    assert path({**golden("http/http_api_stage"), "rawPath": raw}) == ("/dev", expected)


def test_a_path_of_any_bytes_is_one_that_django_reads() -> None:
    assert path({**golden("http/rest_api"), "path": "/日本/%E6%97%A5"}) == ("/dev", "/日本/日")
    assert environ({**golden("http/http_api"), "rawPath": "/%FF"})["PATH_INFO"] == "/\xff"


def test_a_test_from_the_console_has_no_headers_and_no_address() -> None:
    event = golden("http/rest_api", domainName="testPrefix.testDomainName", stage="test-invoke-stage")
    event |= {"headers": None, "multiValueHeaders": None, "multiValueQueryStringParameters": None}
    event["requestContext"]["identity"]["sourceIp"] = "test-invoke-source-ip"
    found = environ(event)
    assert (found["HTTP_HOST"], found["QUERY_STRING"]) == ("testPrefix.testDomainName", "")
    assert (found["SCRIPT_NAME"], found["REMOTE_ADDR"]) == ("", "test-invoke-source-ip")


@pytest.mark.parametrize(
    ("kind", "context", "user"),
    [
        ("rest_api", {"authorizer": {"principalId": "red"}}, "red"),
        (
            "rest_api",
            {"identity": {"userArn": "arn:aws:iam::1:user/red", "sourceIp": "::1"}},
            "arn:aws:iam::1:user/red",
        ),
        ("http_api", {"authorizer": {"lambda": {"principalId": "red"}}}, "red"),
        ("function_url", {"authorizer": {"iam": {"userArn": "arn:aws:iam::1:user/red"}}}, "arn:aws:iam::1:user/red"),
        ("http_api", {}, None),
    ],
)
def test_the_identity_of_an_authorizer_or_iam_is_the_remote_user(
    kind: str, context: dict[str, Any], user: str | None
) -> None:
    event = golden(f"http/{kind}", **context)
    event["headers"] = {**event["headers"], "remote-user": "forged"}
    found = environ(event)
    assert found.get("REMOTE_USER") == user
    assert found.get("API_GATEWAY_AUTHORIZER") == context.get("authorizer")


def test_a_cookie_header_is_absent_where_there_is_no_cookie() -> None:
    event = golden("http/http_api")
    del event["cookies"]
    assert "HTTP_COOKIE" not in environ(event)


@pytest.mark.parametrize("kind", ["rest_api", "http_api_format_1", "load_balancer_multi_value"])
def test_several_cookie_headers_are_several_cookies(kind: str) -> None:
    """HTTP/2 clients send one header for each cookie. AWS documents the list of a load balancer."""
    event = golden(f"http/{kind}")
    name = next(name for name in event["multiValueHeaders"] if name.lower() == "cookie")
    event["multiValueHeaders"][name] = ["one=1", "two=2; three=3"]
    assert WSGIRequest(environ(event)).COOKIES == {"one": "1", "two": "2", "three": "3"}


def test_the_cookies_that_aws_has_separated_are_the_cookies() -> None:
    """A function URL sends them a second time, in a header in which repeated ones are joined with a comma."""
    event = golden("http/function_url")
    event["headers"]["cookie"] = "one=1,two=2"
    assert WSGIRequest(environ(event)).COOKIES == {"one": "1", "two": "2"}
    del event["cookies"]
    event["headers"]["cookie"] = "three=3; four=4"
    assert environ(event)["HTTP_COOKIE"] == "three=3; four=4"


@pytest.mark.parametrize("kind", ["http_api", "rest_api", "load_balancer"])
def test_django_reads_headers_and_queries_of_any_text(kind: str) -> None:
    event = golden(f"http/{kind}")
    event.pop("cookies", None)
    for key, sent in (("headers", "word=日本"), ("multiValueHeaders", ["word=日本"])):
        if key in event:
            event[key] = {**event[key], next((n for n in event[key] if n.lower() == "cookie"), "cookie"): sent}
    if "rawQueryString" in event:
        event["rawQueryString"] = "a=日本&b=ü"
    request = WSGIRequest(environ(event))
    assert request.COOKIES == {"word": "日本"}
    assert request.GET["b"] == "ü"


def test_an_authorizer_may_use_any_key_for_its_context() -> None:
    authorizer = {"principalId": "red", "lambda": "a", "iam": "b"}
    assert environ(golden("http/rest_api", authorizer=authorizer))["REMOTE_USER"] == "red"


def test_an_error_mail_has_neither_the_event_nor_its_cookies_in_it() -> None:
    """Django mails `request.META`, and hides keys that look like secrets, apig-wsgi's among them."""
    request = WSGIRequest(environ(golden("http/http_api")))
    assert request.META["apig_wsgi.full_event"]["cookies"] == ["one=1", "two=2"]
    mailed = str(SafeExceptionReporterFilter().get_safe_request_meta(request))
    assert "sourceIp" not in mailed
    assert "one=1" not in mailed
