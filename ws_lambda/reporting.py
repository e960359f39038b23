"""Reports problems to the people who run the project: refusals in the log, errors of views in the log and by mail.

Log records have ids (`connection_id`, `request_id`, …) as extra fields, but never a body, a token or the request. Only
with DEBUG on, a refusal names the unknown action of a message.
"""

import logging
import traceback
from typing import TypeVar

from django.conf import settings
from django.core.mail import mail_admins
from django.http import HttpResponse, HttpResponseBase

from ws_lambda import clock, frames, process_state, telemetry
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import InvalidRequest, Refused
from ws_lambda.process_state import Occasion

_R = TypeVar("_R", bound=HttpResponseBase)

logger = logging.getLogger("ws_lambda")

MAIL_INTERVAL = 60.0
"""Seconds between two mails about the same kind of error, per process."""

LONGEST_ACTION = 64
"""Characters of an unknown action that the log shows."""

_mailed: dict[tuple[str, str], float] = {}
_lock = process_state.Lock()


def report(error: Exception, *, view: str, handler: str, event: GatewayEvent) -> HttpResponse:
    """Logs an error of a view with the event's ids, and mails it unless one of its kind was mailed lately.

    Returns:
        The response for the client: API Gateway's own error frame. The connection stays open.
    """
    telemetry.count("Failures")
    ids = _ids(event)
    said = "%s.%s raised %s (request %s)"
    logger.error(said, view, handler, type(error).__name__, event.request_id, exc_info=error, extra=ids)
    if settings.ADMINS and _is_due(view, type(error).__qualname__):
        subject = f"{view}.{handler} raised {type(error).__name__}"
        lines = [f"{name}: {value}" for name, value in ids.items()]
        try:
            mail_admins(subject, "\n".join([*lines, "", *traceback.format_exception(error)]))
        except Exception:  # a mail backend may raise anything, and the error itself is already logged
            logger.exception("The mail about request %s could not be sent", event.request_id)
    text = frames.error_frame(
        frames.INTERNAL_SERVER_ERROR, connection_id=event.connection_id, request_id=event.request_id
    )
    return mark_logged(HttpResponse(text, status=500, content_type="application/json"))


def log_refusal(refusal: Refused, *, view: str, event: GatewayEvent | None) -> None:
    """Logs the refusal of a connect or a message. `event` is None if the request is not from a trusted gateway."""
    reason = type(refusal).__name__
    telemetry.refused(reason)
    if event is None:
        logger.warning("%s refused a request that is not from the gateway: %s", view, reason)
    else:
        ids = _ids(event) | {"reason": reason, "source_ip": event.source_ip}
        logger.warning("%s refused %s: %s%s", view, event.route_key, reason, _action(refusal), extra=ids)


def _action(refusal: Refused) -> str:
    """The unknown action of a message, with DEBUG on. Without, it is not logged, because people write it."""
    if not settings.DEBUG or not isinstance(refusal, InvalidRequest) or not refusal.action:
        return ""
    return f" (action {refusal.action[:LONGEST_ACTION]!a})"


def mark_logged(response: _R) -> _R:
    """Keeps Django from logging the response again together with the request, and from mailing it with the body."""
    response._has_been_logged = True  # type: ignore[attr-defined] # the flag that Django itself sets
    return response


def _ids(event: GatewayEvent) -> dict[str, str]:
    return {
        "connection_id": event.connection_id,
        "request_id": event.request_id,
        "route_key": event.route_key,
        "api_id": event.api_id,
    }


def forget() -> None:
    """Forgets what was mailed: the next error of each kind is mailed at once."""
    with _lock:
        _mailed.clear()


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def _is_due(view: str, kind: str) -> bool:
    now = clock.now()
    with _lock:
        if 0 <= now - _mailed.get((view, kind), -MAIL_INTERVAL) < MAIL_INTERVAL:
            return False
        _mailed[view, kind] = now
        return True
