"""The entry point of the Lambda function: every event that AWS sends comes in here.

Importing this module loads Django, in the function's init phase. If Django does not load, the import and every
invocation fail, and API Gateway refuses each `$connect`: a broken deployment lets nobody in.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver, get_script_prefix, set_script_prefix

from ws_lambda import adapter, delivery, telemetry
from ws_lambda.exceptions import UnknownEvent
from ws_lambda.sources import (
    Source,
    authorizer_request,
    commands,
    fanout_queue,
    http,
    packed_settings,
    schedule,
    websocket,
    zappa,
)
from ws_lambda.tables import shared_connection

SOURCES: Final[tuple[Source, ...]] = (websocket, fanout_queue, commands, schedule, authorizer_request, http, zappa)
"""The kinds of event that the function answers. The first that recognises an event answers it.

A new kind is a module in `ws_lambda/sources/` and its name here.
"""


def _load_django() -> None:
    """Sets up Django. If the environment names no settings module, it uses the one that Zappa has packed."""
    if apps.ready:
        return
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        packed = packed_settings.module()
        if packed is None:
            raise ImproperlyConfigured("Set DJANGO_SETTINGS_MODULE in the environment of the function.")
        os.environ["DJANGO_SETTINGS_MODULE"] = packed.DJANGO_SETTINGS
    django.setup()


def _warm_up() -> None:
    """Does work of the first event in the init phase, when Lambda gives the full CPU and no client waits."""
    shared_connection.connection()
    adapter.django_handler()
    get_resolver().url_patterns  # noqa: B018 - reading it imports the views


_load_django()
telemetry.start()
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _warm_up()
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from ws_lambda import snapstart

    snapstart.register()


@contextmanager
def _script_prefix_restored() -> Iterator[None]:
    """Keeps the prefix that a request's stage puts before URLs out of the next event of this process."""
    prefix = get_script_prefix()
    try:
        yield
    finally:
        set_script_prefix(prefix)


def handler(event: Any, context: Any) -> Any:
    """Lets the first source that recognises the event answer it.

    Args:
        event: the event from AWS.
        context: Lambda's context object. Sending ends `deadlines.MARGIN` seconds before the timeout.

    Raises:
        UnknownEvent: no source recognises the event.
    """
    request_id = getattr(context, "aws_request_id", "")
    with (
        telemetry.invocation(function_request_id=request_id),
        delivery.invocation_deadline(context),
        _script_prefix_restored(),
    ):
        if isinstance(event, dict):
            for source in SOURCES:
                if source.recognises(event):
                    return source.answer(event, context)
        raise UnknownEvent.of(event)
