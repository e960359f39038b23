"""Changes AWS to match a record, area by area."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ws_lambda import aws
from ws_lambda.provisioning import answers, domain, route_targets, stage, transfer, websocket_api
from ws_lambda.provisioning.record_field import Area
from ws_lambda.provisioning.state import Difference
from ws_lambda.tables.gateways import ApiGateway

Push = Callable[[ApiGateway, Sequence[Difference]], Mapping[str, Any]]
"""Changes AWS. Returns the attributes to store in the record."""


def push_api(record: ApiGateway, _changed: Sequence[Difference]) -> Mapping[str, Any]:
    """Updates the fields of the API."""
    aws.client("apigatewayv2").update_api(ApiId=record.api_id, **transfer.arguments(record, Area.API))
    return {}


def push_tags(record: ApiGateway, changed: Sequence[Difference]) -> Mapping[str, Any]:
    """Updates the tags of the API one by one. Tags that others set stay."""
    gateway = aws.client("apigatewayv2")
    if put := {one.key: one.record for one in changed if one.record}:
        gateway.tag_resource(ResourceArn=websocket_api.arn(record), Tags=put)
    if gone := [one.key for one in changed if not one.record]:
        gateway.untag_resource(ResourceArn=websocket_api.arn(record), TagKeys=gone)
    return {}


def push_routes(record: ApiGateway, changed: Sequence[Difference]) -> Mapping[str, Any]:
    """Creates, corrects and deletes routes."""
    asked = route_targets.wanted(record)
    if any(one.area == "headers" for one in changed):
        _push_headers(record, {target.uri: target for target in asked.values()})
    for route in list(answers.items("get_routes", ApiId=record.api_id)):
        if route["RouteKey"] not in asked:
            aws.client("apigatewayv2").delete_route(ApiId=record.api_id, RouteId=route["RouteId"])
    websocket_api.create_routes(record)
    _drop_unused(record)
    return {}


def _push_headers(record: ApiGateway, asked: Mapping[str, route_targets.Target]) -> None:
    """Updates the headers of every integration that stays, the gateway secret among them."""
    for integration in websocket_api.integrations(record):
        if target := asked.get(integration["IntegrationUri"]):
            aws.client("apigatewayv2").update_integration(
                ApiId=record.api_id, IntegrationId=integration["IntegrationId"], **target.arguments()
            )


def _drop_unused(record: ApiGateway) -> None:
    """Deletes integrations without a route, and the permission to invoke their function. Those of others stay.

    Unused integrations count towards the quota of 300.
    """
    used = {route_targets.integration_id(route) for route in answers.items("get_routes", ApiId=record.api_id)}
    for integration in list(answers.items("get_integrations", ApiId=record.api_id)):
        integration_id = integration["IntegrationId"]
        if integration_id not in used and (websocket_api.ours(integration) or not record.adopted):
            aws.client("apigatewayv2").delete_integration(ApiId=record.api_id, IntegrationId=integration_id)
            former = route_targets.function_arn(integration.get("IntegrationUri", ""))
            if former and former != record.lambda_function_arn:
                websocket_api.forbid(record, former)


def push_stage(record: ApiGateway, changed: Sequence[Difference]) -> Mapping[str, Any]:
    """Changes what a deployment does not."""
    if any(one.key == "access_log_arn" and not one.record for one in changed):
        stage.stop_logging(record)
    return {}


def push_domain(record: ApiGateway, _changed: Sequence[Difference]) -> Mapping[str, Any]:
    """Updates the certificate, the mapping and the alias of the custom domain."""
    made = domain.create(record)
    aws.client("apigatewayv2").update_domain_name(
        DomainName=record.domain_name, DomainNameConfigurations=[domain.configuration(record)]
    )
    return {**made, **domain.attach(record)}


PUSHES: Mapping[tuple[str, ...], Push] = {
    ("api",): push_api,
    ("tags",): push_tags,
    ("route", "headers"): push_routes,
    ("stage",): push_stage,
    ("domain",): push_domain,
}
"""Areas of facts, and the function that updates them, in this order."""

DEPLOYED = ("api", "route", "headers", "stage")
"""Areas whose changes take effect only with a deployment."""
