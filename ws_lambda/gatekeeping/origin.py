"""Which pages may open a connection. Browsers send the true origin of their page; other clients can send anything."""

from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http.request import validate_host

from ws_lambda.conf import conf
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import OriginRefused

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_origin(event: GatewayEvent) -> None:
    """Lets an allowed origin pass.

    Raises:
        OriginRefused: the origin is not exactly an allowed one, or is missing without ALLOW_MISSING_ORIGIN.
    """
    origin = event.headers.get("origin", "")
    if not (conf.ALLOW_MISSING_ORIGIN if not origin else is_allowed(origin, event.domain_name)):
        raise OriginRefused()


def is_allowed(origin: str, websocket_host: str = "") -> bool:
    """Whether an origin is in ALLOWED_ORIGINS, CSRF_TRUSTED_ORIGINS or ALLOWED_HOSTS, or is the WebSocket's host."""
    parsed = _parse(origin)
    if parsed is None or (parsed.scheme != "https" and not settings.DEBUG):
        return False
    if _same(origin, conf.ALLOWED_ORIGINS) or _trusted_for_csrf(parsed):
        return True
    if parsed.netloc == websocket_host.lower():
        return True
    if not _usual_port(parsed):
        return False
    hosts = [host for host in settings.ALLOWED_HOSTS if host != "*"]
    if settings.DEBUG and not settings.ALLOWED_HOSTS:
        hosts = [".localhost", "127.0.0.1", "[::1]"]  # like Django itself
    host = f"[{parsed.hostname}]" if ":" in (parsed.hostname or "") else parsed.hostname or ""
    return validate_host(host, hosts)


def _parse(origin: str) -> SplitResult | None:
    """The parts of an origin, if it is written like a browser writes it: scheme, host, port, and nothing else."""
    if not origin.isascii() or any(character <= " " for character in origin):
        return None
    try:
        parsed = urlsplit(origin)
        port = parsed.port
    except ValueError:
        return None
    if parsed.scheme not in _DEFAULT_PORTS or not parsed.hostname:
        return None
    host = f"[{parsed.hostname}]" if ":" in parsed.hostname else parsed.hostname
    spelled = f"{parsed.scheme}://{host}" + ("" if port is None else f":{port}")
    return parsed if origin == spelled else None


def _usual_port(parsed: SplitResult) -> bool:
    """ALLOWED_HOSTS has no ports, so it allows only the scheme's default port; with DEBUG, any port of localhost."""
    if settings.DEBUG and parsed.hostname in _LOOPBACK:
        return True
    return parsed.port in (None, _DEFAULT_PORTS[parsed.scheme])


def _same(origin: str, listed: tuple[str, ...]) -> bool:
    return origin in {one.rstrip("/").lower() for one in listed}


def _trusted_for_csrf(parsed: SplitResult) -> bool:
    """CSRF_TRUSTED_ORIGINS: exact, or `https://*.example.com` for every subdomain, as in Django's own check."""
    for trusted in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS):
        if trusted.scheme != parsed.scheme:
            continue
        if trusted.netloc.startswith("*."):
            if parsed.netloc.endswith(trusted.netloc[1:].lower()):
                return True
        elif trusted.netloc.lower() == parsed.netloc:
            return True
    return False
