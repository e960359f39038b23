"""The steps that create the API. Each can be repeated: it creates only what does not exist."""

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
"""The tag of every API that this package creates. CreateApi has no idempotency token: if its answer is lost, the tag
identifies the API."""


OURS = "ws_lambda"
"""The description of the integrations that this package creates."""


def tags(record: ApiGateway) -> dict[str, str]:
    """The tags of everything that is created for a gateway."""
    return {**record.tags, OWN_TAG: f"{conf.TABLE_PREFIX}{record.api_name}"}


def arn(record: ApiGateway) -> str:
    """The ARN of the API, which the operations on tags take."""
    partition = aws.session().get_partition_for_region(aws.region())
    return f"arn:{partition}:apigateway:{aws.region()}::/apis/{record.api_id}"


def create(record: ApiGateway) -> dict[str, Any]:
    """Creates the WebSocket API, unless an earlier attempt created it and could not store its id."""
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
    """Lets API Gateway invoke the function, creates missing routes, and corrects routes that lead elsewhere."""
    permit(record)  # first, so that no route leads to a function that may not be invoked
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
    """Every integration that has a target."""
    return [one for one in answers.items("get_integrations", ApiId=record.api_id) if "IntegrationUri" in one]


def ours(integration: Mapping[str, Any]) -> bool:
    """Whether we created an integration. A CloudFormation stack whose integration we use cannot be deleted."""
    return bool(integration.get("Description") == OURS)


def create_integration(record: ApiGateway, target: Target) -> str:
    """Creates an integration, and returns its id."""
    made = aws.client("apigatewayv2").create_integration(ApiId=record.api_id, Description=OURS, **target.arguments())
    return str(made["IntegrationId"])


def create_route(record: ApiGateway, key: str, integration_id: str) -> dict[str, Any]:
    """Creates a route to an integration."""
    two_way = {} if key in ONE_WAY else {"RouteResponseSelectionExpression": "$default"}
    made: dict[str, Any] = aws.client("apigatewayv2").create_route(
        ApiId=record.api_id, RouteKey=key, Target=f"integrations/{integration_id}", **two_way
    )
    return made


def lead(record: ApiGateway, route_id: str, integration_id: str) -> None:
    """Points a route to another integration. The former one may serve other routes, and is not changed."""
    aws.client("apigatewayv2").update_route(
        ApiId=record.api_id, RouteId=route_id, Target=f"integrations/{integration_id}"
    )


def answer_to(record: ApiGateway, route_id: str) -> None:
    """Creates the response of a route. Without one, what a handler returns does not reach the client."""
    responses = answers.items("get_route_responses", ApiId=record.api_id, RouteId=route_id)
    if any(response["RouteResponseKey"] == "$default" for response in responses):
        return
    aws.client("apigatewayv2").create_route_response(ApiId=record.api_id, RouteId=route_id, RouteResponseKey="$default")


def permit(record: ApiGateway) -> None:
    """Allows this API, and no other, to invoke the function."""
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
    """Removes the API's permission to invoke a function. That it is already gone is no error."""
    try:
        aws.client("lambda").remove_permission(FunctionName=function, StatementId=statement_id(record))
    except ClientError as error:
        if not answers.missing(error):
            raise


def statement_id(record: ApiGateway) -> str:
    """The name of the statement in the function's policy."""
    return f"ws-lambda-{record.api_id}"


def deploy(record: ApiGateway) -> dict[str, Any]:
    """Deploys the routes to the stage, and creates the stage if it does not exist."""
    return stage.deploy(record)
