"""A custom domain: created, mapped, with its DNS alias. A domain that belongs to others is not changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.flows.provisioning.conftest import CERTIFICATE
from tests.flows.provisioning.seen import alias
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import create, lease, sync, update
from ws_lambda.tables.gateways import ApiGateway, Status

Before = Callable[[str, Callable[..., None]], None]


def test_a_custom_domain_is_made_mapped_and_pointed_at(named: ApiGateway, zone: str) -> None:
    create.create("chat")
    record = create.create_domain("chat")
    assert record.status == Status.MAPPED
    assert record.websocket_url == "wss://ws.example.com"
    domain = aws.client("apigatewayv2").get_domain_name(DomainName="ws.example.com")
    assert domain["DomainNameConfigurations"][0]["CertificateArn"] == CERTIFICATE
    assert domain["DomainNameConfigurations"][0]["SecurityPolicy"] == "TLS_1_2"
    [mapping] = aws.client("apigatewayv2").get_api_mappings(DomainName="ws.example.com")["Items"]
    assert (mapping["ApiId"], mapping["Stage"]) == (record.api_id, "production")
    assert mapping["ApiMappingId"] == record.api_mapping_id
    assert [(name.rstrip("."), to.rstrip(".")) for name, to in alias(zone)] == [
        ("ws.example.com", record.api_gateway_domain_name)
    ]


STEPS = [
    ("CreateDomainName", "deployed"),
    ("CreateApiMapping", "domain_created"),
    ("ChangeResourceRecordSets", "domain_created"),
]


@pytest.mark.parametrize("operation", [operation for operation, _status in STEPS])
def test_a_resource_whose_answer_was_lost_is_not_created_twice(
    named: ApiGateway, zone: str, fail_at: Any, operation: str
) -> None:
    create.create("chat")
    fail_at.lose(operation)
    with pytest.raises(ProvisioningError, match="Read timeout"):
        create.create_domain("chat")
    fail_at.clear()
    record = create.create_domain("chat")
    assert record.status == Status.MAPPED
    assert len(alias(zone)) == 1
    [mapping] = aws.client("apigatewayv2").get_api_mappings(DomainName="ws.example.com")["Items"]
    assert mapping["ApiMappingId"] == record.api_mapping_id


@pytest.mark.parametrize(("operation", "status"), STEPS)
def test_a_domain_resumes_where_it_failed(
    named: ApiGateway, zone: str, fail_at: Any, operation: str, status: str
) -> None:
    create.create("chat")
    fail_at.add(operation)
    with pytest.raises(ProvisioningError, match="Slow down"):
        create.create_domain("chat")
    assert ApiGateway.get("chat").status == status
    fail_at.clear()
    assert create.create_domain("chat").status == Status.MAPPED
    assert len(alias(zone)) == 1
    assert len(aws.client("apigatewayv2").get_api_mappings(DomainName="ws.example.com")["Items"]) == 1


def test_a_dns_record_of_something_else_is_left_alone(named: ApiGateway, zone: str) -> None:
    there = {"Name": "ws.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    aws.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": there}]}
    )
    create.create("chat")
    with pytest.raises(ProvisioningError, match="points elsewhere"):
        create.create_domain("chat")
    listed = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [one["ResourceRecords"] for one in listed if one["Type"] == "A"] == [[{"Value": "192.0.2.1"}]]


def test_a_domain_that_serves_another_api_is_left_alone(named: ApiGateway) -> None:
    create.create("chat")
    gateway = aws.client("apigatewayv2")
    other = gateway.create_api(Name="other", ProtocolType="WEBSOCKET", RouteSelectionExpression="x")["ApiId"]
    gateway.create_stage(ApiId=other, StageName="production")
    gateway.create_domain_name(DomainName="ws.example.com", DomainNameConfigurations=[{}])
    gateway.create_api_mapping(DomainName="ws.example.com", ApiId=other, Stage="production")
    with pytest.raises(ProvisioningError, match=f"is already mapped to API {other}"):
        create.create_domain("chat")


def test_a_domain_needs_a_deployed_gateway(named: ApiGateway) -> None:
    with pytest.raises(ProvisioningError, match="not deployed yet"):
        create.create_domain("chat")


def test_a_domain_needs_a_name(chat: ApiGateway) -> None:
    create.create("chat")
    with pytest.raises(ProvisioningError, match="has no domain name"):
        create.create_domain("chat")


def test_a_new_certificate_reaches_the_domain(named: ApiGateway) -> None:
    create.create("chat")
    record = create.create_domain("chat")
    record.certificate_arn = CERTIFICATE.replace("1111", "9999", 1)
    lease.save(record)
    assert [one.name for one in sync.to_aws("chat")] == ["domain.certificate"]
    domain = aws.client("apigatewayv2").get_domain_name(DomainName="ws.example.com")
    assert domain["DomainNameConfigurations"][0]["CertificateArn"] == record.certificate_arn


def test_a_zone_that_is_named_later_gets_its_alias(named: ApiGateway, zone: str) -> None:
    named.hosted_zone_id = ""
    named.save()
    create.create("chat")
    record = create.create_domain("chat")
    assert alias(zone) == []
    record.hosted_zone_id = zone
    assert update.save(record).status == Status.MAPPED
    assert [to for _name, to in alias(zone)] == [record.api_gateway_domain_name]
    assert sync.differences(ApiGateway.get("chat")) == []


def test_a_domain_that_someone_deleted_is_a_difference_and_made_again(named: ApiGateway, zone: str) -> None:
    create.create("chat")
    record = create.create_domain("chat")
    gateway = aws.client("apigatewayv2")
    gateway.delete_api_mapping(DomainName="ws.example.com", ApiMappingId=record.api_mapping_id)
    gateway.delete_domain_name(DomainName="ws.example.com")
    record.api_mapping_id = "of the one that was deleted"
    lease.save(record)
    assert [one.name for one in sync.to_aws("chat")] == ["domain.alias", "domain.certificate", "domain.mapping"]
    [mapping] = gateway.get_api_mappings(DomainName="ws.example.com")["Items"]
    assert ApiGateway.get("chat").api_mapping_id == mapping["ApiMappingId"]
    assert sync.differences(ApiGateway.get("chat")) == []


def test_the_name_of_a_domain_that_is_made_stays(named: ApiGateway) -> None:
    create.create("chat")
    record = create.create_domain("chat")
    record.domain_name = "other.example.com"
    with pytest.raises(ValidationError) as error:
        update.save(record)
    assert list(error.value.message_dict) == ["domain_name"]
    assert [one["DomainName"] for one in aws.client("apigatewayv2").get_domain_names()["Items"]] == ["ws.example.com"]
