"""The view that let a connection in, found again without the client's asking anything."""

from typing import Any

from django.http import HttpRequest
from django.urls import resolve

from ws_lambda.events import EventType, GatewayEvent
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables.attributes import milliseconds


class ViewNotFound(Exception):
    """Nothing that judges connections is served at the path any more."""


def view_of(session: WebSocketSession, user: Any) -> tuple[Any, HttpRequest]:
    """The view of a connection's `$connect`, as the URLconf has it now, and a request to ask it with.

    The request has the user, the path, the address and the ids of the connection (`gateway_event`, `view.event`);
    neither query, headers, cookies nor a Django session, of which nothing is kept.

    Raises:
        ViewNotFound: the path leads nowhere, or to a view that is no `WebSocketView`.
    """
    request = _request(session, user)
    try:
        match = resolve(request.path_info)
    except Exception as error:
        raise ViewNotFound(f"Nothing is served at {request.path_info} any more") from error
    view_class = getattr(match.func, "view_class", None)
    if view_class is None or not hasattr(view_class, "can_join_channel"):
        raise ViewNotFound(f"What is served at {request.path_info} is no WebSocketView")
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
    request.gateway_event = event  # type: ignore[attr-defined] # as `GatewayRequest` has it
    return request
