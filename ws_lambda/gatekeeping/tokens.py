"""Minting WebSocket tokens, and finding one in a `$connect`."""

import os
import re
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest

from ws_lambda import channels
from ws_lambda.conf import conf
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import TokenRefused
from ws_lambda.gatekeeping import rate_limits
from ws_lambda.gatekeeping.logins import login_of, proof_of_login
from ws_lambda.models import gateways
from ws_lambda.models.tokens import WebSocketToken

SUBPROTOCOL_PREFIX = "ws-token."
"""The prefix of a subprotocol with a token. Browsers cannot set any other header."""

QUERY_PARAMETER = "ws_token"
URL_VARIABLE = "WS_LAMBDA_WEBSOCKET_URL"
"""The environment variable with the wss URL, which the deployment and the local gateway set."""

_WELL_FORMED = re.compile(r"[0-9a-f]{64}")
_SUBPROTOCOL = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A `token` of RFC 9110: what the response header may contain."""


def mint(request: HttpRequest, channel: str = "") -> str:
    """Mints a token for the request's user and login. Creates a session if there is none.

    Args:
        channel: the only channel that the token allows; "" for any.

    Raises:
        InvalidChannel: it is not a valid channel name.
        RateLimited: the user has minted TOKENS_PER_MINUTE tokens in this minute.
    """
    if channel:
        channels.check_name(channel)
    user_id = str(request.user.pk)
    rate_limits.count_token(user_id)
    login_id = login_of(request.session)
    if not request.session.session_key:
        request.session.create()
    backend, auth_hash = proof_of(request)
    return WebSocketToken.mint(
        user_id=user_id,
        auth_backend=backend,
        auth_hash=auth_hash,
        session_key=request.session.session_key or "",
        login_id=login_id,
        login_proof=proof_of_login(request.session),
        channel=channel,
    )


def proof_of(request: HttpRequest) -> tuple[str, str]:
    """The auth backend of the request's user, and the session auth hash of their login.

    They come from the session if it is the user's login. Otherwise something else in the request, such as a header,
    identified the user.
    """
    session, user = request.session, request.user
    if session.get(SESSION_KEY) == str(user.pk):
        return session.get(BACKEND_SESSION_KEY, ""), session.get(HASH_SESSION_KEY, "")
    backend = getattr(user, "backend", "") or settings.AUTHENTICATION_BACKENDS[0]
    return backend, user.get_session_auth_hash() if hasattr(user, "get_session_auth_hash") else ""


def websocket_url() -> str:
    """The wss URL for clients: from the setting, else from the deployment, else of the only registered gateway."""
    return conf.WEBSOCKET_URL or os.environ.get(URL_VARIABLE, "") or gateways.only_websocket_url()


def token_of(event: GatewayEvent) -> str:
    """The token that a client connects with.

    Raises:
        TokenRefused: there is no token, it is malformed, or there are two different ones.
    """
    offered = {
        name.removeprefix(SUBPROTOCOL_PREFIX) for name in event.subprotocols if name.startswith(SUBPROTOCOL_PREFIX)
    }
    offered |= {value for name, value in event.query if name == QUERY_PARAMETER}
    if len(offered) != 1:
        raise TokenRefused()
    (token,) = offered
    if not _WELL_FORMED.fullmatch(token):
        raise TokenRefused()
    return token


def without_token(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A query without its token, which anybody may see."""
    return [(name, value) for name, value in query if name != QUERY_PARAMETER]


def subprotocol_to_echo(event: GatewayEvent, supported: tuple[str, ...]) -> str:
    """The subprotocol to answer with: the first offered one that is supported and is not a token; or "".

    API Gateway does not choose one, and a browser that offered some closes the connection if none is chosen.
    """
    own = [name for name in event.subprotocols if not name.lower().startswith(SUBPROTOCOL_PREFIX)]
    return next((name for name in own if (not supported and _SUBPROTOCOL.fullmatch(name)) or name in supported), "")
