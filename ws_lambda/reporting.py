"""A handler raised: it is logged each time, and mailed to ADMINS once a minute for each view and exception type."""

import logging
import threading
import traceback

from django.conf import settings
from django.core.mail import mail_admins

from ws_lambda import clock
from ws_lambda.events import GatewayEvent

logger = logging.getLogger("ws_lambda")

MAIL_INTERVAL = 60.0
"""Seconds between two mails about the same thing, per process."""

_mailed: dict[tuple[str, str], float] = {}
_lock = threading.Lock()


def report(error: Exception, *, view: str, handler: str, event: GatewayEvent) -> None:
    """Logs an error of a handler, with ids and never with the body, and mails it if none was mailed lately."""
    ids = {
        "connection_id": event.connection_id,
        "request_id": event.request_id,
        "route_key": event.route_key,
        "api_id": event.api_id,
    }
    logger.error(
        "%s.%s raised %s (request %s)",
        view,
        handler,
        type(error).__name__,
        event.request_id,
        exc_info=error,
        extra=ids,
    )
    if settings.ADMINS and _is_due(view, type(error).__qualname__):
        subject = f"{view}.{handler} raised {type(error).__name__}"
        lines = [f"{name}: {value}" for name, value in ids.items()]
        try:
            mail_admins(subject, "\n".join([*lines, "", *traceback.format_exception(error)]))
        except OSError:
            logger.exception("The mail about request %s could not be sent", event.request_id)


def _is_due(view: str, kind: str) -> bool:
    now = clock.now()
    with _lock:
        if 0 <= now - _mailed.get((view, kind), -MAIL_INTERVAL) < MAIL_INTERVAL:
            return False
        _mailed[view, kind] = now
        return True
