"""The stage of a gateway: its settings, its throttling, its access log, and its deployments."""

import json
from collections.abc import Mapping
from typing import Any

from ws_lambda import aws
from ws_lambda.provisioning import answers, transfer
from ws_lambda.provisioning.access_log import ACCESS_LOG_FORMAT
from ws_lambda.provisioning.record_field import Area
from ws_lambda.tables.gateways import ApiGateway


def settings(record: ApiGateway) -> dict[str, Any]:
    """The stage as CreateStage and UpdateStage take it."""
    # Empty route settings take the limits off again; leaving them out would keep them.
    said = {"DefaultRouteSettings": {}, **transfer.arguments(record, Area.STAGE)}
    if "AccessLogSettings" in said:
        said["AccessLogSettings"]["Format"] = json.dumps(ACCESS_LOG_FORMAT)
    return said


def deploy(record: ApiGateway) -> dict[str, Any]:
    """Deploys the API in its present state, with the stage's settings. Clients stay connected.

    A stage with automatic deployment, such as Zappa's, refuses explicit deployments and needs none.
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
    act(ApiId=record.api_id, **said)
    return {"deployment_id": deployment}


def _kept(said: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the stage that a record does not hold, such as metrics by route: UpdateStage would drop them."""
    ours = transfer.nested_names("DefaultRouteSettings")
    others = {key: one for key, one in present.get("DefaultRouteSettings", {}).items() if key not in ours}
    kept: dict[str, Any] = {"DefaultRouteSettings": others | said["DefaultRouteSettings"]}
    log = present.get("AccessLogSettings", {})
    if log and log["DestinationArn"] == said.get("AccessLogSettings", {}).get("DestinationArn"):
        kept["AccessLogSettings"] = log
    return kept


def stop_logging(record: ApiGateway) -> None:
    """Removes the access log from the stage. UpdateStage can only replace it."""
    aws.client("apigatewayv2").delete_access_log_settings(ApiId=record.api_id, StageName=record.stage_name)
