"""Makes an existing WebSocket API call our function, and restores it on undeploy.

The API keeps its id and its URL. Its own routes are pointed at our integration, and their former targets are stored in
the API's tags. Routes that it lacks are created by our stack.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.answers import listed

TAG = "ws-lambda:was:"
"""The prefix of tag keys. The rest of a key is a route id, and the value is the former target of the route."""


@dataclass(frozen=True)
class Adopted:
    """The API before it is changed."""

    api_id: str
    routes: dict[str, dict[str, Any]]
    """By route key."""

    stages: dict[str, dict[str, Any]]
    tags: dict[str, str]

    def foreign_routes(self, own_ids: set[str]) -> dict[str, dict[str, Any]]:
        """The routes that our stack did not create."""
        return {key: route for key, route in self.routes.items() if route["RouteId"] not in own_ids}


def look(apigateway: Any, api_id: str) -> Adopted:
    """Reads the API.

    Args:
        apigateway: a boto3 `apigatewayv2` client.
        api_id: the API's id.

    Raises:
        ProvisioningError: the API does not exist, or is not a WebSocket API.
    """
    try:
        api = apigateway.get_api(ApiId=api_id)
    except apigateway.exceptions.NotFoundException as error:
        raise ProvisioningError(
            f"websocket_api.adopt: API {api_id} does not exist in this account and region."
        ) from error
    if api["ProtocolType"] != "WEBSOCKET":
        raise ProvisioningError(f"websocket_api.adopt: {api_id} is not a WebSocket API.")
    routes = {route["RouteKey"]: route for route in listed(apigateway.get_routes, ApiId=api_id)}
    stages = {stage["StageName"]: stage for stage in listed(apigateway.get_stages, ApiId=api_id)}
    return Adopted(api_id, routes, stages, apigateway.get_tags(ResourceArn=_arn(apigateway, api_id)).get("Tags", {}))


def take_over(
    apigateway: Any,
    api: Adopted,
    *,
    own_ids: set[str],
    target: str,
    stage: str,
    answers: Collection[str] = (),
) -> list[str]:
    """Points foreign routes at our integration.

    Args:
        apigateway: a boto3 `apigatewayv2` client.
        api: the API, from `look`.
        own_ids: the ids of the routes that our stack created.
        target: our integration, as `integrations/<id>`.
        stage: the stage to deploy, unless it deploys automatically.
        answers: the keys of the routes whose answers go back to the client.

    Returns:
        The keys of the routes that were changed.
    """
    moved = []
    for key, route in api.foreign_routes(own_ids).items():
        if route.get("Target") == target:
            continue
        # The former target is stored first, so that it is never lost.
        apigateway.tag_resource(
            ResourceArn=_arn(apigateway, api.api_id),
            Tags={TAG + route["RouteId"]: api.tags.get(TAG + route["RouteId"], route.get("Target", "none"))},
        )
        # The stack creates the route responses. This makes the route use them.
        answering = {"RouteResponseSelectionExpression": "$default"} if key in answers else {}
        apigateway.update_route(ApiId=api.api_id, RouteId=route["RouteId"], Target=target, **answering)
        moved.append(key)
    _deploy(apigateway, api, stage)
    return moved


def give_back(apigateway: Any, api: Adopted, *, stage: str) -> list[str]:
    """Restores the former targets of the routes. Returns their keys."""
    given = []
    for key, route in api.routes.items():
        before = api.tags.get(TAG + route["RouteId"])
        if before is None:
            continue
        if before == "none":
            # A target can be replaced but not taken away.
            apigateway.delete_route(ApiId=api.api_id, RouteId=route["RouteId"])
            apigateway.create_route(ApiId=api.api_id, RouteKey=key)
        else:
            apigateway.update_route(ApiId=api.api_id, RouteId=route["RouteId"], Target=before)
        given.append(key)
    notes = [tag for tag in api.tags if tag.startswith(TAG)]
    if notes:
        apigateway.untag_resource(ResourceArn=_arn(apigateway, api.api_id), TagKeys=notes)
        _deploy(apigateway, api, stage)
    return given


def _deploy(apigateway: Any, api: Adopted, stage: str) -> None:
    if stage in api.stages and not api.stages[stage].get("AutoDeploy"):
        apigateway.create_deployment(ApiId=api.api_id, StageName=stage)


def _arn(apigateway: Any, api_id: str) -> str:
    return f"arn:{apigateway.meta.partition}:apigateway:{apigateway.meta.region_name}::/apis/{api_id}"
