"""The routes that a deployment of this project has, for both kinds of integration."""

from collections.abc import Awaitable, Callable

from ws_lambda.conf import conf, gateway_secrets
from ws_lambda.events import FIXED_ROUTES, HTTP_HEADERS, SECRET_HEADER, route_slug
from ws_lambda.local.api_definition import Answer, Event, Route
from ws_lambda.local.integration_http import PREFIX, HttpIntegration, HttpRequest
from ws_lambda.local.integration_lambda import LambdaIntegration


def keys() -> tuple[str, ...]:
    """`$connect`, `$disconnect`, `$default`, and the route keys in the setting ROUTE_PATHS."""
    return (*FIXED_ROUTES, *conf.ROUTE_PATHS)


def lambda_routes(function: Callable[[Event], Awaitable[object]]) -> dict[str, Route]:
    """Routes that invoke the function, and reply."""
    return dict.fromkeys(keys(), Route(integration=LambdaIntegration(function), replies=True))


def http_routes(site: str, send: Callable[[HttpRequest], Awaitable[Answer]]) -> dict[str, Route]:
    """Routes that post to the site's URLs with the gateway secret, and reply.

    Raises:
        ValueError: there is no GATEWAY_SECRET. Without it, the views trust no HTTP request.
    """
    secret = next(iter(gateway_secrets()), "")
    if not secret:
        raise ValueError('The HTTP integration needs WS_LAMBDA["GATEWAY_SECRET"], by which the views recognise it.')
    parameters = {f"{PREFIX}header.{header}": variable for header, variable in HTTP_HEADERS.items()}
    parameters[f"{PREFIX}header.{SECRET_HEADER}"] = f"'{secret}'"
    return {
        key: Route(
            integration=HttpIntegration(url=site.rstrip("/") + _path(key), send=send, parameters=parameters),
            replies=True,
        )
        for key in keys()
    }


def _path(key: str) -> str:
    return conf.ROUTE_PATHS.get(key) or conf.BASE_PATH + route_slug(key)
