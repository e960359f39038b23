"""Finding the view that admitted a connection, without a request of the client."""

from typing import Any

from django.http import HttpRequest
from django.urls import resolve

from ws_lambda.events import EventType, GatewayEvent
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables.attributes import milliseconds


class ViewNotFound(Exception):
    """There is no WebSocketView at the path any more."""


def view_of(session: WebSocketSession, user: Any) -> tuple[Any, HttpRequest]:
    """The view of a connection's `$connect`, by the present URLconf, and a request for its checks.

    The request has the user, the path, the address and the ids of the connection (`gateway_event`, `view.event`). It
    has no query, headers, cookies or Django session, because none of these are stored.

    Raises:
        ViewNotFound: the path does not resolve, or not to a `WebSocketView`.
    """
    request = _request(session, user)
    try:
        match = resolve(request.path_info)
    except Exception as error:
        raise ViewNotFound(f"No view is served at {request.path_info} any more") from error
    view_class = getattr(match.func, "view_class", None)
    if view_class is None or not hasattr(view_class, "can_join_channel"):
        raise ViewNotFound(f"The view at {request.path_info} is not a WebSocketView")
    request.resolver_match = match
    view = view_class(**getattr(match.func, "view_initkwargs", {}))
    view.setup(request, *match.args, **match.kwargs)
    view.event, view.websocket_session = request.gateway_event, session  # type: ignore[attr-defined]
    view.api_gateway = session.api_gateway
    return view, request


def _request(session: WebSocketSession, user: Any) -> HttpRequest:
    event = GatewayEvent(
        type=EventType.CONNECT,
        route_key="$connect",
        connection_id=session.connection_id,
        api_id=session.api_id,
        source_ip=session.source_ip,
        user_agent=session.user_agent,
        connected_at=milliseconds(session.connected_at),
    )
    request = HttpRequest()
    request.method = "POST"
    request.path = request.path_info = session.connect_path or ""
    request.META = {"REQUEST_METHOD": "POST", "PATH_INFO": request.path, "REMOTE_ADDR": session.source_ip}
    request.user = user
    request.gateway_event = event  # type: ignore[attr-defined] # like `GatewayRequest`
    return request
