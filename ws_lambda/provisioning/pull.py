"""Changes a record to match AWS, fact by fact."""

from typing import Any

from ws_lambda.events import FIXED_ROUTES, route_slug
from ws_lambda.provisioning import gateway_fields, route_targets, transfer, websocket_api
from ws_lambda.provisioning.record_field import Area
from ws_lambda.provisioning.state import Difference
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Integration


def values(record: ApiGateway) -> dict[str, Any]:
    """The attributes that `pull` can change, with their values."""
    return {field.name: getattr(record, field.name) for field in gateway_fields.FIELDS if field.is_pulled}


def pull(record: ApiGateway, difference: Difference) -> None:
    """Sets one fact of AWS in the record, if a record can hold it."""
    area, key, there = difference.area, difference.key, difference.aws
    if area == Area.TAGS and key != websocket_api.OWN_TAG:
        others = {name: value for name, value in record.tags.items() if name != key}
        record.tags = others | ({key: there} if there else {})
    elif area == Area.ROUTE and key in (*FIXED_ROUTES, record.route_key):
        _pull_own_route(record, key, there)
    elif area == Area.ROUTE:
        _pull_additional_route(record, key, there)
    elif (field := transfer.pulled(area, key)) and (there or area != Area.DOMAIN):
        # A mapped record cannot be without a domain: `sync --to-aws` creates it again.
        setattr(record, field.name, field.from_text(there))


def _pull_own_route(record: ApiGateway, key: str, there: str) -> None:
    """All own routes have the same target. A record cannot hold that one is missing."""
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
