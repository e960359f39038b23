"""What it takes to make a record agree with AWS, fact by fact."""

from typing import Any

from ws_lambda.events import FIXED_ROUTES, route_slug
from ws_lambda.provisioning import route_targets, state, websocket_api
from ws_lambda.provisioning.state import Difference
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Integration

_STAGE_FIELDS = {
    "description": "stage_description",
    "throttling_rate": "throttling_rate",
    "throttling_burst": "throttling_burst",
    "access_log_arn": "access_log_arn",
}
_PULLED = (
    *(field for field, _name in state.API_FIELDS.values()),
    *_STAGE_FIELDS.values(),
    "tags",
    "additional_routes",
    "certificate_arn",
    "lambda_function_arn",
    "target_base_endpoint",
)


def values(record: ApiGateway) -> dict[str, Any]:
    """The attributes that pulling may have changed."""
    return {field: getattr(record, field) for field in _PULLED}


def pull(record: ApiGateway, difference: Difference) -> None:
    """Takes one fact over into the record, if a record can say it at all."""
    key, there = difference.key, difference.aws
    if difference.area == "api":
        setattr(record, state.API_FIELDS[key][0], there)
    elif difference.area == "stage" and key in _STAGE_FIELDS:
        number = key.startswith("throttling")
        setattr(record, _STAGE_FIELDS[key], (float(there) if there else None) if number else there)
    elif difference.area == "tags" and key != websocket_api.OWN_TAG:
        others = {name: value for name, value in record.tags.items() if name != key}
        record.tags = others | ({key: there} if there else {})
    elif difference.area == "route" and key in (*FIXED_ROUTES, record.route_key):
        _pull_own_route(record, key, there)
    elif difference.area == "route":
        _pull_additional_route(record, key, there)
    elif difference.name == "domain.certificate" and there:
        record.certificate_arn = there


def _pull_own_route(record: ApiGateway, key: str, there: str) -> None:
    """Where an own route leads, all of them lead. One that is gone cannot be said: a gateway needs it."""
    slug = f"/{route_slug(key)}"
    if record.integration == Integration.LAMBDA and there.startswith("arn:"):
        record.lambda_function_arn = there
    elif record.integration == Integration.HTTP and there.endswith(slug):
        record.target_base_endpoint = there.removesuffix(slug) + "/"


def _pull_additional_route(record: ApiGateway, key: str, there: str) -> None:
    known = {route.route_key: route for route in record.additional_routes}
    if not there:
        known.pop(key, None)
    elif there.startswith("arn:"):
        known.setdefault(key, AdditionalRoute(name=key, route_key=key))  # type: ignore[no-untyped-call]
    else:
        name = known[key].name if key in known else key
        target = "" if there == route_targets.target(record, key).uri else there
        known[key] = AdditionalRoute(name=name, route_key=key, target=target)  # type: ignore[no-untyped-call]
    record.additional_routes = list(known.values())
