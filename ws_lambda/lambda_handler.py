"""The door of the one Lambda function: every event that AWS sends comes in here.

Django is loaded when this module is imported, in the function's init phase. If that fails the import fails, every
invocation with it, and API Gateway refuses each `$connect`: a broken deployment lets nobody in.
"""

import logging
import os
from typing import Any

import django
from django.apps import apps
from django.urls import get_resolver

from ws_lambda import adapter, delivery, telemetry
from ws_lambda.conf import conf
from ws_lambda.events import EventType, GatewayEvent
from ws_lambda.exceptions import EventError
from ws_lambda.models import base

DEADLINE_MARGIN = 2.0
"""Seconds of an invocation that are kept for what comes after sending."""

_log = logging.getLogger("ws_lambda")
_COUNTED = {EventType.CONNECT: "Connects", EventType.MESSAGE: "Messages", EventType.DISCONNECT: "Disconnects"}


def _load_django() -> None:
    """Sets Django up, with the settings module that Zappa packed if the environment names none."""
    if apps.ready:
        return
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        import zappa_settings  # made by Zappa when it packs the function

        os.environ["DJANGO_SETTINGS_MODULE"] = zappa_settings.DJANGO_SETTINGS
    django.setup()


def _warm_up() -> None:
    """Does in the init phase, on Lambda's full CPU and before anybody waits, what the first event would have to."""
    base.connection()
    adapter.django_handler()
    get_resolver().url_patterns  # noqa: B018 - reading it imports the views


_load_django()
telemetry.start()
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _warm_up()
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from ws_lambda import snapstart

    snapstart.register()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answers WebSocket events through Django, works off queued broadcasts, and leaves the rest to Zappa."""
    seconds = context.get_remaining_time_in_millis() / 1000 - DEADLINE_MARGIN
    with telemetry.invocation(function_request_id=getattr(context, "aws_request_id", "")), delivery.deadline(seconds):
        if GatewayEvent.recognises(event):
            return _answer_websocket(event)
        if _comes_from_queue(event):
            from ws_lambda import fanout

            return fanout.handle(event, context)
        from ws_lambda import zappa_entry

        return zappa_entry.handle(event, context)


def _answer_websocket(event: dict[str, Any]) -> dict[str, Any]:
    try:
        gateway_event = GatewayEvent.from_lambda(event)
    except EventError as wrong:
        _log.warning("%s", wrong)
        return {"statusCode": 400, "body": '{"message": "Invalid request format", "status": 400}'}
    ids = {"connection_id": gateway_event.connection_id, "request_id": gateway_event.request_id}
    with telemetry.invocation(route=gateway_event.route_key, **ids):
        telemetry.count(_COUNTED[gateway_event.type])
        answer = adapter.answer(gateway_event)
        if gateway_event.type is EventType.CONNECT and answer["statusCode"] >= 400:
            # API Gateway's IntegrationError counts both together, and a refusal is no reason to wake anybody.
            telemetry.count("ConnectsRefused" if answer["statusCode"] < 500 else "ConnectsFailed")
        return answer


def _comes_from_queue(event: Any) -> bool:
    """Whether the event is SQS delivering from FANOUT_QUEUE_URL; other queues of the project are Zappa's affair."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[0].get("eventSource") != "aws:sqs" or not conf.FANOUT_QUEUE_URL:
        return False
    queue_name = str(records[0].get("eventSourceARN", "")).rpartition(":")[2]
    return queue_name == conf.FANOUT_QUEUE_URL.rpartition("/")[2]
