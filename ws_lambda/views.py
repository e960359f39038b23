"""`WebSocketView`: one view for all events of a connection, with one method for each kind of message."""

import re
from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ws_lambda import channels, delivery
from ws_lambda.bodies import fit, read_object
from ws_lambda.conf import conf
from ws_lambda.events import EventType, GatewayEvent
from ws_lambda.exceptions import InvalidChannel, PermissionRefused, Refused
from ws_lambda.gatekeeping import admission, tokens, trust
from ws_lambda.gatekeeping.revocation import lazy_user, revalidate
from ws_lambda.handlers import HANDLER_LISTS, as_response, callable_names, choose, denied_is_refused, handler, schema_of
from ws_lambda.models import stats
from ws_lambda.models.channel_permissions import ChannelPermission, may_join, permission_for, refresh
from ws_lambda.models.closing import close_session
from ws_lambda.models.joining import change_as_view
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.touching import touch
from ws_lambda.reporting import log_refusal, mark_logged, report
from ws_lambda.tables.gateways import ApiGateway
from ws_lambda.token_view import WebSocketTokenView

__all__ = ["WebSocketTokenView", "WebSocketView", "handler"]

_COUNTED_AS = {EventType.CONNECT: "connects", EventType.MESSAGE: "messages", EventType.DISCONNECT: "disconnects"}


@method_decorator(csrf_exempt, name="dispatch")
class WebSocketView(View):
    """Serves `path("ws/<slug:route>", ChatView.as_view())`: connect, disconnect, and one method for each message.

    A handler can use `request.user`, `self.body` (a dict), `self.data` (if `@handler` has a schema),
    `self.websocket_session`, `self.api_gateway`, `self.kwargs["route"]` and `self.event`. It returns None (answered
    with `{}`), a dict or an HttpResponse. The client gets the answer if the route has a route response.
    """

    ALLOWED_HANDLERS: ClassVar[Any] = ()
    """If set, clients can call exactly these methods. If empty, clients can call the methods that the class defines."""

    ADDITIONAL_ALLOWED_HANDLERS: ClassVar[Any] = ()
    """Further methods that clients can call, such as methods of a mixin."""

    handler_selection_key = "handler"
    """The key of the body that names a handler. It takes precedence over `route_selection_key`."""

    route_selection_key = "action"
    """The key of the body that API Gateway selects a route by. It can name a handler as well."""

    USE_WS_TOKEN: bool | None = None
    """Whether `$connect` needs a token. None: use the setting REQUIRE_TOKEN."""

    SUBPROTOCOLS: tuple[str, ...] = ()
    """The accepted subprotocols. Empty: accept the first one that the client offers."""

    MAX_BODY_SIZE = 131_072
    """The largest message in bytes. API Gateway itself passes on 128 KB at most."""

    MAX_CHANNEL_NAME_LENGTH = channels.MAX_NAME_LENGTH
    CHANNEL_NAME_PATTERN: re.Pattern[str] = channels.NAME_PATTERN
    """The channel names that a client may ask for. The whole name must match."""

    permissions_required: tuple[str, ...] = ()
    """The user needs at least one of these permissions."""

    all_permissions_required: tuple[str, ...] = ()
    """The user needs all of these permissions. If it is set, `permissions_required` is ignored."""

    CHECK_PERMISSIONS_ON_CONNECT = True
    """Whether permissions are checked on `$connect` too, and not only on every message."""

    aws_api_gateway_id: str | None = None
    """The only gateway that the view serves, by API id or api_name. None: all trusted gateways."""

    RATE_LIMIT_ENABLED = True
    """False turns off the limits on connects, open connections, refusals and messages for this view."""

    RATE_LIMIT_CONNECTS_PER_MINUTE: int | None = None
    RATE_LIMIT_REFUSALS_PER_MINUTE: int | None = None
    RATE_LIMIT_MESSAGES_PER_MINUTE: int | None = None
    RATE_LIMIT_CONNECTIONS_PER_USER: int | None = None
    """Limits of this view. None: use the setting of the same name."""

    event: GatewayEvent
    api_gateway: ApiGateway | None = None
    websocket_session: WebSocketSession
    body: dict[str, Any]
    data: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Handles all events of both integrations. A refusal becomes an answer, and counts on `$connect`."""
        try:
            self.event = trust.read_event(request, str(kwargs.get("route", "")))
        except Refused as refusal:
            return self._answer(request, refusal)
        try:
            with denied_is_refused():
                self.api_gateway = trust.check_gateway(self.event, self.aws_api_gateway_id)
                response = self._serve(request, *args, **kwargs)
            stats.count(_COUNTED_AS[self.event.type])
            return response
        except Refused as refusal:
            stats.count("refusals")
            if self.event.type is EventType.CONNECT and self.RATE_LIMIT_ENABLED:
                admission.count_refusal(self, self.event, refusal)
            return self._answer(request, refusal)
        except Http404:
            raise
        except Exception as error:
            return report(error, view=type(self).__name__, handler=self.event.slug, event=self.event)

    def _serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        match self.event.type:
            case EventType.CONNECT:
                return self._open(request, *args, **kwargs)
            case EventType.DISCONNECT:
                return self.disconnect(request, *args, **kwargs)
        return self._receive(request, *args, **kwargs)

    # For subclasses to extend

    def connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Opens the session. If you extend it, call `super().connect(…)`, which raises if the client is refused."""
        self.websocket_session = admission.admit(self, request, self.event)
        response = JsonResponse({})
        if echoed := tokens.subprotocol_to_echo(self.event, self.SUBPROTOCOLS):
            response["Sec-WebSocket-Protocol"] = echoed
        return response

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Closes the session, and sets `self.websocket_session` if it exists. An unknown connection is no error."""
        if admission.CONNECTION_ID.fullmatch(self.event.connection_id):
            was = close_session(self.event.connection_id, api_id=self.event.api_id)
            if was is not None:
                self.websocket_session = was
        return JsonResponse({})

    def change_channel(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Moves the connection to `self.body["channel"]`. Clients can call it if a subclass allows it."""
        name = self.check_channel_name(self.body.get("channel"))
        refresh()
        if not self.can_join_channel(request, name):
            raise PermissionRefused()
        change_as_view(self.websocket_session, name)
        return JsonResponse({"channel": name})

    def can_join_channel(self, request: HttpRequest, channel_name: str) -> bool:
        """Whether the user may be in a channel, by the channel's permission or, without one, by UNLISTED_CHANNELS."""
        permission = self.get_channel_permission(channel_name)
        return may_join(request.user, channel_name) if permission is None else permission.admits(request.user)

    def get_channel_permission(self, channel_name: str) -> ChannelPermission | None:
        """Returns the permission that applies to a channel, or None."""
        return permission_for(channel_name)

    def additional_connection_checks(self, request: HttpRequest) -> tuple[bool, str]:
        """The project's own check on `$connect`. (False, reason) refuses with 403 and does not use up the token."""
        return True, ""

    def has_any_permission(self, request: HttpRequest) -> bool:
        """Whether the user has at least one of `permissions_required`."""
        return any(request.user.has_perm(name) for name in self.permissions_required)

    def has_all_permission(self, request: HttpRequest) -> bool:
        """Whether the user has all of `all_permissions_required`."""
        return all(request.user.has_perm(name) for name in self.all_permissions_required)

    # One method for each refusal. To answer differently, override it, or override `refuse` for all of them

    def refuse(self, request: HttpRequest, refusal: Refused) -> HttpResponseBase:
        """Answers a refusal whose own method is not overridden, in the form of API Gateway's error frames."""
        event = getattr(self, "event", None)
        ids = {"connectionId": event.connection_id, "requestId": event.request_id} if event else {}
        return JsonResponse({"message": refusal.message, "status": refusal.status, **ids}, status=refusal.status)

    def _as_refuse_says(self, request: HttpRequest, refusal: Refused) -> HttpResponseBase:
        return self.refuse(request, refusal)

    untrusted_request = origin_refused = host_refused = permission_denied = token_refused = _as_refuse_says
    session_not_found = invalid_channel = invalid_request = handler_selection_key_missing = _as_refuse_says
    body_too_large = duplicate_connection = rate_limited = too_many_channels = _as_refuse_says

    # Called by gatekeeping

    def get_channel_name(self, request: HttpRequest) -> str:
        """Returns the channel of a `$connect`: from the query, else the gateway's default, else "".

        Raises:
            InvalidChannel: the name in the query is not a valid channel name.
        """
        asked = self.event.query_value("channel")
        if asked or any(name == "channel" for name, _value in self.event.query):
            return self.check_channel_name(asked)
        return self.api_gateway.default_channel_name if self.api_gateway else ""

    def check_channel_name(self, name: object) -> str:
        """Returns the name if it is a valid channel name that this view allows.

        Raises:
            InvalidChannel: it is not.
        """
        checked = channels.check_name(name)
        if len(checked) > self.MAX_CHANNEL_NAME_LENGTH or not self.CHANNEL_NAME_PATTERN.fullmatch(checked):
            raise InvalidChannel()
        return checked

    def uses_token(self) -> bool:
        """Whether `$connect` needs a token."""
        return conf.REQUIRE_TOKEN if self.USE_WS_TOKEN is None else self.USE_WS_TOKEN

    def has_required_permissions(self, request: HttpRequest) -> bool:
        """Whether the user may use this view. If no permission is required, the user is not read."""
        if self.all_permissions_required:
            return self.has_all_permission(request)
        return not self.permissions_required or self.has_any_permission(request)

    def limit(self, name: str) -> int:
        """Returns how many the view allows per minute. `name` is CONNECTS, REFUSALS or MESSAGES."""
        if not self.RATE_LIMIT_ENABLED:
            return 2**53
        own = getattr(self, f"RATE_LIMIT_{name}_PER_MINUTE")
        return int(getattr(conf, f"{name}_PER_MINUTE") if own is None else own)

    def connections_per_user(self) -> int | None:
        """Returns how many connections a user may have open at once. None: no limit, and nothing is counted."""
        if not self.RATE_LIMIT_ENABLED:
            return None
        own = self.RATE_LIMIT_CONNECTIONS_PER_USER
        return conf.CONNECTIONS_PER_USER if own is None else own

    # A connect

    def _open(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Calls `connect`, and closes the session if no socket opens: API Gateway then sends no `$disconnect`."""
        opened = False
        try:
            with delivery.connecting(self.event.connection_id) as opening:
                response = self.connect(request, *args, **kwargs)
                if opening.disconnected:
                    raise PermissionRefused("Disconnected while connecting")
            opened = opening.opened = 200 <= response.status_code < 300
            return response
        finally:
            if not opened and "websocket_session" in vars(self):
                close_session(self.event.connection_id, api_id=self.event.api_id)

    # A message

    def _receive(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        admission.check_connection_id(self.event)
        self.websocket_session = touch(self.event, messages_per_minute=self.limit("MESSAGES"))
        request.user = lazy_user(self.websocket_session)
        revalidate(self.websocket_session, self, request)
        self.body = read_object(self.event.body, self.MAX_BODY_SIZE)
        if not self.has_required_permissions(request):
            raise PermissionRefused()
        name = choose(
            self.body,
            names=self._callable_names(),
            handler_key=self.handler_selection_key,
            route_key=self.route_selection_key,
            route=self.event.slug,
        )
        return self._run(name, request, *args, **kwargs)

    def _run(self, name: str, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Calls a handler. If it raises, the error is reported, and the client gets API Gateway's error frame."""
        method = getattr(self, name)
        if schema := schema_of(method):
            self.data = fit(schema, self.body)
        try:
            with denied_is_refused():
                return as_response(method(request, *args, **kwargs))
        except Refused:
            raise
        except Exception as error:
            return report(error, view=type(self).__name__, handler=name, event=self.event)

    def _callable_names(self) -> frozenset[str]:
        cls, given = type(self), {name: getattr(self, name) for name in HANDLER_LISTS if name in vars(self)}
        if given:  # from `as_view(ALLOWED_HANDLERS=…)`
            return callable_names(cls, WebSocketView, given)
        if "_names" not in vars(cls):
            cls._names = callable_names(cls, WebSocketView)
        return cls._names

    _names: ClassVar[frozenset[str]]

    def _answer(self, request: HttpRequest, refusal: Refused) -> HttpResponseBase:
        """Answers with the refusal's own method. It is logged here with ids, because Django would log the request."""
        answer: HttpResponseBase = getattr(self, refusal.hook)(request, refusal)
        log_refusal(refusal, view=type(self).__name__, event=getattr(self, "event", None))
        return mark_logged(answer)
