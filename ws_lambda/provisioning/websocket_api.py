"""The steps that make the API itself. Each may be repeated: it looks before it makes."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ws_lambda import aws
from ws_lambda.conf import conf
from ws_lambda.events import ONE_WAY
from ws_lambda.provisioning import answers, route_targets, stage, transfer
from ws_lambda.provisioning.record_field import Area
from ws_lambda.provisioning.route_targets import Target
from ws_lambda.tables.gateways import ApiGateway, Integration

OWN_TAG = "ws-lambda:gateway"
"""Put on every API that we make. CreateApi knows no idempotency token: this is how a lost answer is found."""


OURS = "ws_lambda"
"""The description of the integrations that we make."""


def tags(record: ApiGateway) -> dict[str, str]:
    """The tags of everything that is made for a gateway."""
    return {**record.tags, OWN_TAG: f"{conf.TABLE_PREFIX}{record.api_name}"}


def arn(record: ApiGateway) -> str:
    """The API's own name, as tags are asked for."""
    partition = aws.session().get_partition_for_region(aws.region())
    return f"arn:{partition}:apigateway:{aws.region()}::/apis/{record.api_id}"


def create(record: ApiGateway) -> dict[str, Any]:
    """Makes the WebSocket API, unless an earlier attempt made it and did not live to store its id."""
    api = _made_before(record) or aws.client("apigatewayv2").create_api(
        Name=record.api_name,
        ProtocolType="WEBSOCKET",
        Tags=tags(record),
        **transfer.arguments(record, Area.API),
    )
    return transfer.answered(api, Area.API)


def _made_before(record: ApiGateway) -> dict[str, Any] | None:
    mine = tags(record)[OWN_TAG]
    apis = answers.items("get_apis", MaxResults="500")
    return next((api for api in apis if api.get("Tags", {}).get(OWN_TAG) == mine), None)


def create_routes(record: ApiGateway) -> dict[str, Any]:
    """Lets API Gateway invoke the function, and makes the routes that are missing or lead elsewhere."""
    permit(record)  # first: no client is to be led to a function that may not be invoked
    known = {route["RouteKey"]: route for route in answers.items("get_routes", ApiId=record.api_id)}
    there = integrations(record)
    uris = {one["IntegrationId"]: one["IntegrationUri"] for one in there}
    ids = {one["IntegrationUri"]: one["IntegrationId"] for one in there if ours(one)}
    for key, target in route_targets.wanted(record).items():
        if target.uri not in ids:
            ids[target.uri] = create_integration(record, target)
        if key not in known:
            known[key] = create_route(record, key, ids[target.uri])
        elif uris.get(route_targets.integration_id(known[key])) != target.uri:
            lead(record, known[key]["RouteId"], ids[target.uri])
        if key not in ONE_WAY:
            answer_to(record, known[key]["RouteId"])
    return {}


def integrations(record: ApiGateway) -> list[dict[str, Any]]:
    """Every integration that goes somewhere."""
    return [one for one in answers.items("get_integrations", ApiId=record.api_id) if "IntegrationUri" in one]


def ours(integration: Mapping[str, Any]) -> bool:
    """Whether we made an integration. A route on one of CloudFormation's would keep a stack from being deleted."""
    return bool(integration.get("Description") == OURS)


def create_integration(record: ApiGateway, target: Target) -> str:
    """Makes an integration and returns its id."""
    made = aws.client("apigatewayv2").create_integration(ApiId=record.api_id, Description=OURS, **target.arguments())
    return str(made["IntegrationId"])


def create_route(record: ApiGateway, key: str, integration_id: str) -> dict[str, Any]:
    """Makes a route to an integration."""
    two_way = {} if key in ONE_WAY else {"RouteResponseSelectionExpression": "$default"}
    made: dict[str, Any] = aws.client("apigatewayv2").create_route(
        ApiId=record.api_id, RouteKey=key, Target=f"integrations/{integration_id}", **two_way
    )
    return made


def lead(record: ApiGateway, route_id: str, integration_id: str) -> None:
    """Leads a route to another integration. The one it leaves may serve other routes, and stays as it is."""
    aws.client("apigatewayv2").update_route(
        ApiId=record.api_id, RouteId=route_id, Target=f"integrations/{integration_id}"
    )


def answer_to(record: ApiGateway, route_id: str) -> None:
    """Gives a route its response: without one, what a handler returns never reaches the client."""
    responses = answers.items("get_route_responses", ApiId=record.api_id, RouteId=route_id)
    if any(response["RouteResponseKey"] == "$default" for response in responses):
        return
    aws.client("apigatewayv2").create_route_response(ApiId=record.api_id, RouteId=route_id, RouteResponseKey="$default")


def permit(record: ApiGateway) -> None:
    """Lets this API, and no other, invoke the function."""
    if record.integration != Integration.LAMBDA:
        return
    try:
        aws.client("lambda").add_permission(
            FunctionName=record.lambda_function_arn,
            StatementId=statement_id(record),
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=route_targets.execution_arn(record),
        )
    except ClientError as error:
        if answers.code(error) != "ResourceConflictException":
            raise


def forbid(record: ApiGateway, function: str) -> None:
    """Takes the API's right to invoke a function away; one that is gone already is no error."""
    try:
        aws.client("lambda").remove_permission(FunctionName=function, StatementId=statement_id(record))
    except ClientError as error:
        if not answers.missing(error):
            raise


def statement_id(record: ApiGateway) -> str:
    """The name of the statement in the function's policy."""
    return f"ws-lambda-{record.api_id}"


def deploy(record: ApiGateway) -> dict[str, Any]:
    """Deploys the routes to the stage, which is made where there is none."""
    return stage.deploy(record)
