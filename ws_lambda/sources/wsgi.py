"""Runs an HTTP event through the project's WSGI application.

apig-wsgi translates the event and the answer. `wsgi_request` corrects the request: client address, host, scheme, stage
in the path, ambiguous headers. `wsgi_response` completes the response: text that is not UTF-8, repeated headers.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from apig_wsgi import make_lambda_handler
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.utils.module_loading import import_string

from ws_lambda import process_state
from ws_lambda.process_state import Occasion
from ws_lambda.sources import wsgi_request, wsgi_response


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns the response to an HTTP event, in the format that the sender of the event expects."""
    answered = _translated()(wsgi_request.without_ambiguous_headers(event), context)
    return wsgi_response.completed(answered, event)


@cache
def _translated() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    return make_lambda_handler(
        _corrected(_application()), binary_support=True, non_binary_content_type_prefixes=wsgi_response.TEXT_TYPES
    )


process_state.register(_translated.cache_clear, Occasion.TEST, Occasion.SETTINGS)


def _application() -> WSGIApplication:
    """The project's WSGI_APPLICATION with its WSGI middleware, or Django's own if the setting is empty."""
    named = settings.WSGI_APPLICATION
    return import_string(named) if named else WSGIHandler()


def _corrected(application: WSGIApplication) -> WSGIApplication:
    def run(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        event = environ["apig_wsgi.full_event"]
        wsgi_request.correct(environ, event)
        return wsgi_response.collected(application, environ, start_response, event)

    return run
