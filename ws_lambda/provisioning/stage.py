"""The stage: what clients reach, how fast they may call, and what is logged of it."""

import json
from collections.abc import Mapping
from typing import Any

from ws_lambda import aws
from ws_lambda.provisioning import answers
from ws_lambda.provisioning.access_log import ACCESS_LOG_FORMAT
from ws_lambda.tables.gateways import ApiGateway


def settings(record: ApiGateway) -> dict[str, Any]:
    """The stage's settings as CreateStage and UpdateStage take them."""
    # Empty route settings take the limits off again; leaving them out would keep them.
    said: dict[str, Any] = {"Description": record.stage_description, "DefaultRouteSettings": {}}
    if record.throttling_rate is not None and record.throttling_burst is not None:
        said["DefaultRouteSettings"] = {
            "ThrottlingRateLimit": float(record.throttling_rate),
            "ThrottlingBurstLimit": int(record.throttling_burst),
        }
    if record.access_log_arn:
        # API Gateway wants the group itself; the console and CloudFormation show its ARN with ":*".
        arn = record.access_log_arn.removesuffix(":*")
        said["AccessLogSettings"] = {"DestinationArn": arn, "Format": json.dumps(ACCESS_LOG_FORMAT)}
    return said


def deploy(record: ApiGateway) -> dict[str, Any]:
    """Deploys what the API is now, with the stage's settings. Clients stay connected.

    A stage that deploys by itself, as Zappa's does, refuses a deployment of ours and needs none.
    """
    gateway = aws.client("apigatewayv2")
    present = answers.found("get_stage", ApiId=record.api_id, StageName=record.stage_name) or {}
    said = settings(record)
    said |= _kept(said, present)
    deployment = present.get("DeploymentId", "")
    if not present.get("AutoDeploy"):
        made = gateway.create_deployment(ApiId=record.api_id, Description=f"ws_lambda: {record.api_name}")
        said["DeploymentId"] = deployment = made["DeploymentId"]
    act = gateway.update_stage if present else gateway.create_stage
    act(ApiId=record.api_id, StageName=record.stage_name, **said)
    return {"deployment_id": deployment}


def _kept(said: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage has and a record cannot say, metrics by route for one: UpdateStage replaces settings as a whole."""
    routes = {key: one for key, one in present.get("DefaultRouteSettings", {}).items() if "Throttling" not in key}
    kept: dict[str, Any] = {"DefaultRouteSettings": routes | said["DefaultRouteSettings"]}
    log = present.get("AccessLogSettings", {})
    if log and log["DestinationArn"] == said.get("AccessLogSettings", {}).get("DestinationArn"):
        kept["AccessLogSettings"] = log
    return kept


def stop_logging(record: ApiGateway) -> None:
    """Takes the access log off the stage: UpdateStage can only replace it."""
    aws.client("apigatewayv2").delete_access_log_settings(ApiId=record.api_id, StageName=record.stage_name)
