"""Additional routes, before and after the gateway is deployed. docs/contract.md 33."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.flows.provisioning.seen import apis, routes
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import create, sync, update
from ws_lambda.tables.gateways import ApiGateway

Before = Callable[[str, Callable[..., None]], None]


def test_adding_a_route_to_a_deployed_gateway_deploys_it(chat: ApiGateway) -> None:
    before = create.create("chat")
    after = update.add_route("chat", name="Typing", route_key="typing")
    assert after.api_id
    assert set(routes(after.api_id)) == {"$connect", "$disconnect", "$default", "history", "typing"}
    assert after.deployment_id != before.deployment_id
    assert aws.client("apigatewayv2").get_stage(ApiId=after.api_id, StageName="production")["DeploymentId"] == (
        after.deployment_id
    )
    assert sync.differences(after) == []


def test_adding_a_route_to_a_planned_gateway_touches_no_aws(chat: ApiGateway) -> None:
    assert len(update.add_route("chat", name="Typing", route_key="typing").additional_routes) == 2
    assert apis() == []


@pytest.mark.parametrize("taken", ["history", "$connect", "$default"])
def test_a_route_key_is_unique_in_its_gateway(chat: ApiGateway, taken: str) -> None:
    with pytest.raises(ValidationError):
        update.add_route("chat", name="Again", route_key=taken)


def test_removing_a_route_removes_it_from_aws(chat: ApiGateway) -> None:
    create.create("chat")
    record = update.remove_route("chat", "history")
    assert record.api_id
    assert set(routes(record.api_id)) == {"$connect", "$disconnect", "$default"}
    with pytest.raises(ProvisioningError, match="no additional route 'history'"):
        update.remove_route("chat", "history")


def test_a_route_that_aws_refused_is_made_by_the_next_sync(chat: ApiGateway, fail_at: Any) -> None:
    create.create("chat")
    fail_at.add("CreateRoute")
    with pytest.raises(ProvisioningError, match="Slow down"):
        update.add_route("chat", name="Typing", route_key="typing")
    fail_at.clear()
    record = ApiGateway.get("chat")
    assert [(one.name, one.aws) for one in sync.differences(record)] == [("route.typing", "")]
    sync.to_aws("chat")
    record = ApiGateway.get("chat")
    assert record.last_error == ""
    assert sync.differences(record) == []
