"""Changes a gateway after it was created, and deletes it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models import gateways
from ws_lambda.provisioning import answers, domain, lease, rules, sync, websocket_api
from ws_lambda.provisioning.create import recorded
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Integration, Status


def add_route(gateway: str, *, name: str, route_key: str, target: str = "") -> ApiGateway:
    """Adds a route to the record. If the gateway is deployed, also adds it to AWS and deploys it.

    Raises:
        ValidationError: the route key is taken, or the route has a value that AWS would refuse.
        ProvisioningError: there is no such gateway, or AWS refused. In the second case the record already has the
            route, and `ws_gateway sync --to-aws` adds it to AWS later.
    """
    record = lease.load(gateway)
    route = AdditionalRoute(name=name, route_key=route_key, target=target)  # type: ignore[no-untyped-call]
    record.additional_routes = [*record.additional_routes, route]
    return save(record)


def remove_route(gateway: str, route_key: str) -> ApiGateway:
    """Removes a route from the record and, if the gateway is deployed, from AWS.

    Raises:
        ProvisioningError: there is no such gateway or route, or AWS refused.
    """
    record = lease.load(gateway)
    kept = [route for route in record.additional_routes if route.route_key != route_key]
    if len(kept) == len(record.additional_routes):
        raise ProvisioningError(f"Gateway {gateway!r} has no additional route {route_key!r}.")
    record.additional_routes = kept
    return save(record)


def save(record: ApiGateway) -> ApiGateway:
    """Stores an edited record. If the gateway is deployed, also changes AWS to match.

    Raises:
        ValidationError: the record has a value that AWS would refuse.
        GatewayBusyError: another process is working on the gateway.
        ProvisioningError: the record has changed since it was read, or AWS refused.
    """
    rules.check(record)
    rules.check_fixed(lease.load(record.api_name), record)
    if lease.busy(record):
        raise lease.GatewayBusyError(
            f"Another process is working on gateway {record.api_name!r}. Try again in a moment."
        )
    lease.save(record)
    if record.reached(Status.DEPLOYED):
        sync.to_aws(record.api_name)
        record = lease.load(record.api_name)
    return record


def delete(name: str, *, keep_aws: bool = False) -> None:
    """Deletes a gateway from AWS, and then its record. Parts that are already gone are no error.

    An adopted API stays, since it belongs to whoever created it. The domain that this package gave it is deleted.

    Args:
        keep_aws: delete only the record.

    Raises:
        GatewayBusyError: another process is working on the gateway.
        ProvisioningError: AWS refused.
    """
    with lease.held(name) as mine:
        record = mine.record
        if not keep_aws:
            with recorded(mine, "Delete"):
                _delete_from_aws(record)
        record.delete(add_version_condition=False)
    gateways.forget()


def _delete_from_aws(record: ApiGateway) -> None:
    if record.domain_name and (present := domain.read(record)):
        _delete_domain(record, present)
    if not record.api_id or record.adopted:
        return
    if record.integration == Integration.LAMBDA:
        websocket_api.forbid(record, record.lambda_function_arn)
    _gone(lambda: aws.client("apigatewayv2").delete_api(ApiId=record.api_id))


def _delete_domain(record: ApiGateway, present: Mapping[str, Any]) -> None:
    """Deletes our mapping. Also deletes the alias and the domain if we created them and nothing else uses them."""
    gateway, name = aws.client("apigatewayv2"), record.domain_name
    mappings = list(answers.items("get_api_mappings", DomainName=name))
    ours = [one["ApiMappingId"] for one in mappings if one["ApiId"] == record.api_id]
    for mapping_id in ours:
        _gone(partial(gateway.delete_api_mapping, DomainName=name, ApiMappingId=mapping_id))
    if (
        len(ours) < len(mappings)
        or present.get("Tags", {}).get(websocket_api.OWN_TAG) != websocket_api.tags(record)[websocket_api.OWN_TAG]
    ):
        return
    if record.hosted_zone_id:
        domain.remove_alias(record)
    _gone(lambda: gateway.delete_domain_name(DomainName=name))


def _gone(act: Callable[[], object]) -> None:
    """Runs a deletion. That the thing is already gone is no error."""
    try:
        act()
    except ClientError as error:
        if not answers.missing(error):
            raise
