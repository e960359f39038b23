"""`"websocket_api": {"adopt": ...}`: a deployment takes over an existing API, uses it, and restores it on undeploy."""

from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.e2e import cloud, rights
from tests.e2e.deployment import STAGE, Deployment
from tests.local_site import ROOT


def test_an_api_is_borrowed_and_given_back(tmp_path: Path) -> None:
    with cloud.running(tmp_path) as aws:
        aws.create_stack("queue", ROOT / "serverless_config" / "queue.yaml", QueueName=f"demo-{STAGE}-fanout")
        gateway = aws.client("apigatewayv2")
        api_id, theirs = somebody_elses_api(gateway)
        deployment = Deployment(tmp_path, aws, websocket_api={"adopt": api_id})
        deployment.manage("ws_tables", "create")

        assert "keeps its own" in deployment.zappa("deploy", STAGE)

        (ours,) = set(targets(gateway, api_id).values())
        assert ours != theirs
        assert set(targets(gateway, api_id)) == {
            "$connect",
            "$disconnect",
            "$default",
            "chat_message",
            "overview",
            "who",
        }
        websockets = [one for one in gateway.get_apis()["Items"] if one["ProtocolType"] == "WEBSOCKET"]
        assert [one["ApiId"] for one in websockets] == [api_id]
        assert deployment.variable("WS_LAMBDA_GATEWAY_IDS") == api_id
        with pytest.raises(InvalidStatus), deployment.websocket({"ws_token": "0" * 64}):
            pass
        counted = aws.client("dynamodb").scan(TableName=f"demo_{STAGE}_rate_limits")["Items"]
        assert [one["count"] for one in counted if "refus" in one["scope"]["S"]], "the function has seen the connect"

        deployment.zappa("undeploy", STAGE, "--yes")

        assert targets(gateway, api_id) == {"$connect": theirs}
        assert len(gateway.get_integrations(ApiId=api_id)["Items"]) == 1
        assert gateway.get_api(ApiId=api_id).get("Tags", {}) == {"team": "data"}
        assert [one["StageName"] for one in gateway.get_stages(ApiId=api_id)["Items"]] == [STAGE]
        rights.of_the_deployer(deployment.noted_calls())


def somebody_elses_api(gateway: Any) -> tuple[str, str]:
    """An API with one route that goes elsewhere, and a stage; its id, and the route's target."""
    api_id = gateway.create_api(
        Name="theirs",
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
        Tags={"team": "data"},
    )["ApiId"]
    integration = gateway.create_integration(ApiId=api_id, IntegrationType="MOCK")["IntegrationId"]
    gateway.create_route(ApiId=api_id, RouteKey="$connect", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=True)
    return api_id, f"integrations/{integration}"


def targets(gateway: Any, api_id: str) -> dict[str, str]:
    return {one["RouteKey"]: one.get("Target", "") for one in gateway.get_routes(ApiId=api_id)["Items"]}
