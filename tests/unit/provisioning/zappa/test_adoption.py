"""An existing API: its routes are taken over and given back."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests import moto_apigateway
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa import adoption

REGION = "eu-west-1"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    moto_apigateway.install(monkeypatch)
    with mock_aws():
        yield boto3.client("apigatewayv2", region_name=REGION)


@pytest.fixture
def api_id(gateway: Any) -> str:
    """A WebSocket API with two routes, one of them without a target, and a stage."""
    api_id: str = gateway.create_api(
        Name="old", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    gateway.create_route(ApiId=api_id, RouteKey="$connect", Target="integrations/old")
    gateway.create_route(ApiId=api_id, RouteKey="$default")
    gateway.create_stage(ApiId=api_id, StageName="dev")
    return api_id


def targets(gateway: Any, api_id: str) -> dict[str, str | None]:
    return {one["RouteKey"]: one.get("Target") for one in gateway.get_routes(ApiId=api_id)["Items"]}


def take_over(gateway: Any, api_id: str, own_ids: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    found = adoption.look(gateway, api_id)
    return adoption.take_over(
        gateway, found, own_ids=own_ids, target="integrations/new", stage="dev", answers=["$default"]
    )


def test_foreign_routes_are_borrowed_and_given_back(gateway: Any, api_id: str) -> None:
    assert take_over(gateway, api_id) == ["$connect", "$default"]
    assert targets(gateway, api_id) == {"$connect": "integrations/new", "$default": "integrations/new"}
    given = adoption.give_back(gateway, adoption.look(gateway, api_id), stage="dev")
    assert given == ["$connect", "$default"]
    assert targets(gateway, api_id) == {"$connect": "integrations/old", "$default": None}
    assert not [tag for tag in adoption.look(gateway, api_id).tags if tag.startswith(adoption.TAG)]


def test_taking_over_twice_does_not_forget_the_way_back(gateway: Any, api_id: str) -> None:
    take_over(gateway, api_id)
    assert take_over(gateway, api_id) == []
    found = adoption.look(gateway, api_id)
    adoption.take_over(gateway, found, own_ids=set(), target="integrations/newer", stage="dev")
    adoption.give_back(gateway, adoption.look(gateway, api_id), stage="dev")
    assert targets(gateway, api_id)["$connect"] == "integrations/old"


def test_notes_are_made_in_the_regions_own_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, noted = boto3.client("apigatewayv2", region_name="us-gov-west-1"), list[str]()
    monkeypatch.setattr(elsewhere, "tag_resource", lambda ResourceArn, Tags: noted.append(ResourceArn))  # noqa: N803
    monkeypatch.setattr(elsewhere, "update_route", lambda **_asked: None)
    found = adoption.Adopted("a1", {"$connect": {"RouteId": "r1"}}, {}, {})

    adoption.take_over(elsewhere, found, own_ids=set(), target="integrations/new", stage="dev")

    assert noted == ["arn:aws-us-gov:apigateway:us-gov-west-1::/apis/a1"]


def test_routes_of_our_own_stack_are_left_alone(gateway: Any, api_id: str) -> None:
    own = adoption.look(gateway, api_id).routes["$connect"]["RouteId"]
    assert take_over(gateway, api_id, {own}) == ["$default"]


def test_the_stage_is_deployed_anew_only_where_it_does_not_do_so_itself(gateway: Any, api_id: str) -> None:
    take_over(gateway, api_id)
    assert len(gateway.get_deployments(ApiId=api_id)["Items"]) == 1


def test_an_api_that_cannot_be_adopted_is_reported(gateway: Any) -> None:
    with pytest.raises(ProvisioningError, match="API nothing does not exist"):
        adoption.look(gateway, "nothing")
    http = gateway.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    with pytest.raises(ProvisioningError, match="not a WebSocket API"):
        adoption.look(gateway, http)
