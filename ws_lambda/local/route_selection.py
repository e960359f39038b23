"""Route selection by expressions such as `$request.body.action`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
"""

import json
import re
from collections.abc import Mapping

from ws_lambda.local.api_definition import Api, Route
from ws_lambda.local.errors import BadRequestBody, NoRoute

DEFAULT = "$default"
RESERVED = frozenset({"$connect", "$disconnect"})
_PATH = re.compile(r"\$\{?request\.body\.([A-Za-z0-9_$.\-\[\]]+)\}?")


def select(api: Api, body: str) -> tuple[str, Route]:
    """The route of a message, with its key.

    Raises:
        NoRoute: no route matches, and there is no `$default` route.
        BadRequestBody: the body does not fit the route's request model.
    """
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    key = evaluate(api.route_selection_expression, parsed)
    if key in RESERVED or key not in api.routes:
        key = DEFAULT
    route = api.routes.get(key)
    if route is None:
        raise NoRoute(f"no route matches and there is no {DEFAULT}")
    if route.accepts is not None and not route.accepts(parsed):
        raise BadRequestBody(f"the body does not fit the model of route {key}")
    return key, route


def evaluate(expression: str, parsed: object) -> str:
    """The value of a selection expression for a parsed body; "" if the body does not have the path."""
    if re.fullmatch(r"\$request\.body\.[^{}]+", expression):
        return _text(_follow(parsed, expression.removeprefix("$request.body.")))
    return _PATH.sub(lambda found: _text(_follow(parsed, found[1])), expression)


def _follow(value: object, path: str) -> object:
    for step in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _text(value: object) -> str:
    """The value as a string: 5 is "5", true is "true", a missing value is ""."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
