"""`$connect`, from the first check to the open session. `admit` calls the checks; each is in a module of its own."""

import os
import re
from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from ws_lambda import clock
from ws_lambda.conf import conf
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import InvalidConnectionId, OriginRefused, PermissionRefused, Refused, TokenRefused
from ws_lambda.gatekeeping import rate_limits, tokens
from ws_lambda.gatekeeping.logins import known_login, login_of, proof_of_login
from ws_lambda.gatekeeping.origin import check_origin
from ws_lambda.gatekeeping.trust import check_host
from ws_lambda.models.channel_permissions import note_change
from ws_lambda.models.opening import new_session, open_session
from ws_lambda.models.owners import owner_still_valid
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.tokens import WebSocketToken
from ws_lambda.tables.gateways import ApiGateway
from ws_lambda.tables.rate_limits import PermissionsChanged, RateLimit
from ws_lambda.tables.table import Table, batch_read
from ws_lambda.tables.tokens import LoginOfKey, digest

CONNECTION_ID = re.compile(r"[A-Za-z0-9_=-]{1,128}")
"""The form of a connection id. API Gateway's ids are base64 and end in `=`."""

_AWS_HOST = re.compile(r"[a-z0-9-]+\.execute-api(-fips)?\.[a-z0-9-]+\.(amazonaws\.(com|com\.cn|eu)|api\.aws)")
"""Host names that AWS generates. Signed requests, which contain messages, must not go to any other host."""

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
"""The standard variable that points AWS tools at another `@connections` service, such as the local gateway."""


class AdmittingView(Protocol):
    """The part of a view that decides about a `$connect`."""

    CHECK_PERMISSIONS_ON_CONNECT: bool
    api_gateway: ApiGateway | None

    def get_channel_name(self, request: HttpRequest) -> str: ...
    def uses_token(self) -> bool: ...
    def has_required_permissions(self, request: HttpRequest) -> bool: ...
    def can_join_channel(self, request: HttpRequest, channel_name: str) -> bool: ...
    def additional_connection_checks(self, request: HttpRequest) -> tuple[bool, str]: ...
    def limit(self, name: str) -> int: ...
    def connections_per_user(self) -> int | None: ...


def admit(view: AdmittingView, request: HttpRequest, event: GatewayEvent) -> WebSocketSession:
    """Opens the session of a connection that passes every check: at most three round trips to DynamoDB.

    Raises:
        Refused: a check failed. A refused connect does not consume the token.
    """
    check_origin(event)
    check_host(event)
    check_connection_id(event)
    channel_name = view.get_channel_name(request)
    token = None
    if view.uses_token():
        token = _read_token(view, event)
    else:
        rate_limits.check_known(event.source_ip, view.limit("REFUSALS"))
        _read(view, event, "")
    try:
        return _let_in(view, request, event, channel_name, token)
    except (Refused, PermissionDenied):
        if token is not None:
            rate_limits.note_token_refusal(token.token_hash)
        raise


def _let_in(
    view: AdmittingView, request: HttpRequest, event: GatewayEvent, channel_name: str, token: WebSocketToken | None
) -> WebSocketSession:
    """The checks about the user, and the transaction that opens the session."""
    session = new_session(event, endpoint_url=endpoint_url(view, event), channel_name=channel_name)
    session.connect_path = request.path_info
    login_of_key = None
    if token is not None:
        user = _owner_of(request, token)
        _remember_owner(session, token.user_id, token.auth_backend, token.auth_hash)
        session.login_id, session.login_proof = token.login_id, token.login_proof
        session.bound_channel = token.channel
    else:
        user = getattr(request, "user", None) or AnonymousUser()
        if user.is_authenticated:
            if not user.is_active:
                raise PermissionRefused()
            login_of_key = _remember_login(session, request, user)
    request.user = session.user = user
    _check_permissions(view, request, channel_name)
    if token is not None and token.channel and token.channel != event.query_value("channel"):
        raise PermissionRefused()
    passed, why = view.additional_connection_checks(request)
    if not passed:
        raise PermissionRefused(why)
    open_session(
        session,
        token=token,
        login_of_key=login_of_key,
        connects_per_minute=view.limit("CONNECTS"),
        connections_per_user=view.connections_per_user(),
    )
    return session


def check_connection_id(event: GatewayEvent) -> None:
    """Refuses an id that API Gateway cannot have made.

    Raises:
        InvalidConnectionId: the id is too long, or has characters that no id has.
    """
    if not CONNECTION_ID.fullmatch(event.connection_id):
        raise InvalidConnectionId()


def endpoint_url(view: AdmittingView, event: GatewayEvent) -> str:
    """The URL for posting messages to this connection.

    An event does not tell the path mapping of a custom domain. Connections through one are therefore reached at the
    address that API Gateway generated for the API.
    """
    known = conf.ENDPOINT_URL or os.environ.get(ENDPOINT_VARIABLE, "")
    if known:
        return known.rstrip("/")
    if view.api_gateway is not None and view.api_gateway.endpoint_url:
        return view.api_gateway.endpoint_url
    if _AWS_HOST.fullmatch(event.domain_name):
        return f"https://{event.domain_name}/{event.stage}"
    from ws_lambda import aws

    return f"https://{event.api_id}.execute-api.{aws.region()}.amazonaws.com/{event.stage}"


def count_refusal(view: AdmittingView, event: GatewayEvent, refusal: Refused) -> None:
    """Counts a refused connect. A refused origin is not counted: it is the page's fault, but the visitor's address."""
    if not isinstance(refusal, OriginRefused):
        rate_limits.count_refusal(event.source_ip, view.limit("REFUSALS"))


def _read(view: AdmittingView, event: GatewayEvent, token_hash: str) -> WebSocketToken | None:
    """The one batch read of a connect: the address's refusals, the token, and whether permissions have changed.

    An address with too many refusals is refused here, unless it brings a valid token.
    """
    limit = view.limit("REFUSALS")
    counter = rate_limits.refusals_of(event.source_ip)
    wanted: list[tuple[type[Table], Mapping[str, str]]] = [(PermissionsChanged, PermissionsChanged.KEY)]
    if counter is not None and not rate_limits.is_known_refused(event.source_ip, limit):
        wanted.append((RateLimit, {"scope": counter.scope, "window": counter.window}))
    if token_hash:
        wanted.append((WebSocketToken, {"token_hash": token_hash}))
    found = batch_read(wanted)
    note_change(found.get(PermissionsChanged))
    token: WebSocketToken | None = found.get(WebSocketToken)
    if token is not None and token.expires_at > clock.utcnow():
        return token
    rate_limits.check_known(event.source_ip, limit)
    rate_limits.check_refusals(found.get(RateLimit), limit)
    return None


def _read_token(view: AdmittingView, event: GatewayEvent) -> WebSocketToken:
    """The token's row. Nothing is read if there is no well-formed token."""
    limit, token_hash = view.limit("REFUSALS"), _token_hash(event)
    if not token_hash:
        rate_limits.check_known(event.source_ip, limit)
        raise TokenRefused()
    rate_limits.check_token_refusals(token_hash, limit)
    token = _read(view, event, token_hash)
    if token is None:
        raise TokenRefused()
    return token


def _token_hash(event: GatewayEvent) -> str:
    """The hash of the client's token; "" if it has no well-formed token."""
    try:
        return digest(tokens.token_of(event))
    except TokenRefused:
        return ""


def _owner_of(request: HttpRequest, token: WebSocketToken) -> Any:
    """The token's user, if they may still log in and the request has no session cookie of another login.

    The session of a cookie is read only if its key has changed since the token was minted.
    """
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if cookie and digest(cookie) != token.session_hash and _login_of_cookie(request) != token.login_id:
        raise TokenRefused()
    user = owner_still_valid(token.user_id, token.auth_backend, token.auth_hash)
    if user is None:
        raise TokenRefused()
    return user


def _login_of_cookie(request: HttpRequest) -> str:
    found = getattr(request, "session", None)
    return known_login(found) if found is not None else ""


def _remember_login(session: WebSocketSession, request: HttpRequest, user: Any) -> LoginOfKey | None:
    """Sets the owner of a session without a token: the request's user, mostly known by Django's session cookie."""
    _remember_owner(session, str(user.pk), *tokens.proof_of(request))
    key = request.session.session_key
    if not key:
        return None
    session.login_id, session.login_proof = login_of(request.session), proof_of_login(request.session)
    return LoginOfKey.of(digest(key), session.login_id)


def _remember_owner(session: WebSocketSession, user_id: str, backend: str, auth_hash: str) -> None:
    session.user_id = user_id
    session.auth_backend = backend
    session.auth_hash = auth_hash


def _check_permissions(view: AdmittingView, request: HttpRequest, channel_name: str) -> None:
    if view.CHECK_PERMISSIONS_ON_CONNECT and not view.has_required_permissions(request):
        raise PermissionRefused()
    if channel_name and not view.can_join_channel(request, channel_name):
        raise PermissionRefused()
