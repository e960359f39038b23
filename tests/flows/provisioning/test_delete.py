"""Deleting a gateway."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.flows.provisioning.seen import alias, apis
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import create, update
from ws_lambda.tables.gateways import ApiGateway

Before = Callable[[str, Callable[..., None]], None]


def test_deleting_leaves_nothing_behind(named: ApiGateway, zone: str) -> None:
    create.create("chat")
    create.create_domain("chat")
    update.delete("chat")
    assert apis() == []
    assert aws.client("apigatewayv2").get_domain_names()["Items"] == []
    assert alias(zone) == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("lambda").get_policy(FunctionName="chat")
    assert ApiGateway.count() == 0


@pytest.mark.parametrize(
    "operation", ["DeleteApiMapping", "ChangeResourceRecordSets", "DeleteDomainName", "RemovePermission", "DeleteApi"]
)
@pytest.mark.parametrize("how", ["add", "lose"])
def test_deleting_resumes_where_it_failed(named: ApiGateway, zone: str, fail_at: Any, operation: str, how: str) -> None:
    create.create("chat")
    create.create_domain("chat")
    getattr(fail_at, how)(operation)
    with pytest.raises(ProvisioningError, match="Slow down" if how == "add" else "Read timeout"):
        update.delete("chat")
    assert ApiGateway.get("chat").last_error.startswith("Delete: ")
    fail_at.clear()
    update.delete("chat")
    assert apis() == []
    assert alias(zone) == []
    assert aws.client("apigatewayv2").get_domain_names()["Items"] == []
    assert ApiGateway.count() == 0


def test_a_domain_that_serves_others_too_keeps_its_name_and_alias(named: ApiGateway, zone: str) -> None:
    create.create("chat")
    create.create_domain("chat")
    gateway = aws.client("apigatewayv2")
    other = gateway.create_api(Name="other", ProtocolType="WEBSOCKET", RouteSelectionExpression="x")["ApiId"]
    gateway.create_stage(ApiId=other, StageName="live")
    gateway.create_api_mapping(DomainName="ws.example.com", ApiId=other, Stage="live", ApiMappingKey="other")
    update.delete("chat")
    assert [one["ApiId"] for one in gateway.get_api_mappings(DomainName="ws.example.com")["Items"]] == [other]
    assert len(alias(zone)) == 1


def test_a_domain_of_other_hands_stays(named: ApiGateway) -> None:
    gateway = aws.client("apigatewayv2")
    gateway.create_domain_name(DomainName="ws.example.com", DomainNameConfigurations=[{}])
    create.create("chat")
    create.create_domain("chat")
    update.delete("chat")
    assert [one["DomainName"] for one in gateway.get_domain_names()["Items"]] == ["ws.example.com"]
    assert gateway.get_api_mappings(DomainName="ws.example.com")["Items"] == []
