"""Corrects the WSGI environment that apig-wsgi makes of an HTTP event.

apig-wsgi leaves some values empty, and takes others from headers that a client can set.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from django.conf import settings

from ws_lambda.sources import packed_settings


def without_ambiguous_headers(event: dict[str, Any]) -> dict[str, Any]:
    """Drops headers that have an underscore in their name.

    WSGI cannot tell `X_Forwarded_For` from `X-Forwarded-For`, so a client could set a header that only AWS may set.
    Web servers drop these headers as well.
    """
    kept: dict[str, Any] = {
        key: {name: value for name, value in (event[key] or {}).items() if "_" not in name}
        for key in ("headers", "multiValueHeaders")
        if key in event
    }
    return {**event, "headers": {}, **kept}


def correct(environ: WSGIEnvironment, event: Mapping[str, Any]) -> None:
    """Sets host, scheme, client address, caller and path to what AWS says in the event."""
    asked = event["requestContext"]
    if "elb" in asked:
        _trust_balancer(environ)
    else:
        _trust_gateway(environ, asked)
    content_type = environ.pop("HTTP_CONTENT_TYPE", None)
    if "http" in asked and content_type:
        environ["CONTENT_TYPE"] = content_type  # apig-wsgi cuts the value at a comma, which a boundary may contain
    environ.pop("HTTP_CONTENT_LENGTH", None)
    _join_cookies(environ, event)
    script_name, path = _path(event, asked)
    environ["SCRIPT_NAME"] = script_name
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["QUERY_STRING"] = environ["QUERY_STRING"].encode().decode("latin-1")
    for name, value in environ.items():
        if isinstance(value, str) and not value.isascii():
            environ[name] = _wsgi_text(value)


def _join_cookies(environ: WSGIEnvironment, event: Mapping[str, Any]) -> None:
    """Joins the cookie headers of a request with semicolons. HTTP/2 clients may send several.

    apig-wsgi joins those in `multiValueHeaders` with a comma, which would make one cookie of them.
    """
    many = event.get("multiValueHeaders") or {}
    sent = event.get("cookies") or [one for name in many if name.lower() == "cookie" for one in many[name]]
    cookies = "; ".join(sent) or environ.pop("HTTP_COOKIE", "").lstrip(";")
    if cookies:
        environ["HTTP_COOKIE"] = cookies


def _wsgi_text(value: str) -> str:
    """Returns text in which each character stands for a byte. Django fails if it gets any other.

    https://peps.python.org/pep-3333/#unicode-issues
    """
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass").decode("latin-1")
    return value


def _trust_gateway(environ: WSGIEnvironment, asked: Mapping[str, Any]) -> None:
    """API Gateway and function URLs only accept TLS, and report the client's address outside of the headers."""
    identity = asked.get("http") or asked.get("identity") or {}
    environ["REMOTE_ADDR"] = identity.get("sourceIp") or ""
    environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"] = "https"
    environ["HTTPS"] = "on"
    environ["SERVER_PORT"] = "443"
    environ.setdefault("HTTP_HOST", asked.get("domainName") or "localhost")
    environ["SERVER_NAME"] = environ["HTTP_HOST"]
    authorizer = asked.get("authorizer") or {}
    if authorizer:
        environ["API_GATEWAY_AUTHORIZER"] = authorizer
    if user := _caller(authorizer, asked):
        environ["REMOTE_USER"] = user


def _caller(authorizer: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Returns the caller that an authorizer or IAM has identified, or "".

    In format 1, the keys of `authorizer` are those that the project's own authorizer has chosen.
    """
    if "http" in asked:
        by_lambda, by_iam = authorizer.get("lambda") or {}, authorizer.get("iam") or {}
    else:
        by_lambda, by_iam = authorizer, asked.get("identity") or {}
    return str(by_lambda.get("principalId") or by_iam.get("userArn") or "")


def _trust_balancer(environ: WSGIEnvironment) -> None:
    """A load balancer appends the client's address to X-Forwarded-For, so only the last entry can be trusted.

    With the attribute `routing.http.xff_header_processing.mode` set to `preserve`, no entry can be trusted.
    """
    environ["REMOTE_ADDR"] = _without_port(environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip())
    if environ["wsgi.url_scheme"] == "https":
        environ["HTTPS"] = "on"
    environ["SERVER_PORT"] = environ["SERVER_PORT"] or ("443" if "HTTPS" in environ else "80")
    environ["SERVER_NAME"] = environ["SERVER_NAME"] or "localhost"


def _without_port(address: str) -> str:
    """Removes the client's port from an address. A load balancer can be configured to add it."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _path(event: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[str, str]:
    """Returns SCRIPT_NAME and the rest of the path, still percent-encoded.

    An HTTP API puts a named stage in front of the path in both payload formats, even if the client used a custom
    domain and did not send it. A REST API removes the stage, although the client did send it to the generated domain.
    """
    path = event.get("rawPath") or event.get("path") or "/"
    stage = f"/{name}" if (name := asked.get("stage") or "$default") != "$default" else ""
    if "version" in event:
        path = _without_prefix(path, stage)
    if stage and ".execute-api." in str(asked.get("domainName", "")):
        return stage, path
    base_path = (settings.FORCE_SCRIPT_NAME or packed_settings.base_path()).rstrip("/")
    return base_path, _without_prefix(path, base_path)


def _without_prefix(path: str, prefix: str) -> str:
    """Removes a prefix from a path, but only if the prefix ends at the end of a segment."""
    return path.removeprefix(prefix) or "/" if path == prefix or path.startswith(f"{prefix}/") else path
