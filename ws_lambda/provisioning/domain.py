"""The steps that create a custom domain. Each can be repeated: it creates only what does not exist."""

from collections.abc import Mapping
from typing import Any

from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import answers, transfer, websocket_api
from ws_lambda.provisioning.record_field import Area
from ws_lambda.tables.gateways import ApiGateway


def create(record: ApiGateway) -> dict[str, Any]:
    """Creates the custom domain with its certificate, unless it exists."""
    domain = read(record) or aws.client("apigatewayv2").create_domain_name(
        DomainName=record.domain_name,
        DomainNameConfigurations=[configuration(record)],
        Tags=websocket_api.tags(record),
    )
    return transfer.answered(domain["DomainNameConfigurations"][0], Area.DOMAIN)


def configuration(record: ApiGateway) -> dict[str, str]:
    """The configuration of the domain. WebSocket domains are regional, and need TLS 1.2 or newer."""
    fixed = {"EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    return {**transfer.arguments(record, Area.DOMAIN), **fixed}


def read(record: ApiGateway) -> dict[str, Any] | None:
    """The domain in AWS, or None."""
    return answers.found("get_domain_name", DomainName=record.domain_name)


def attach(record: ApiGateway) -> dict[str, Any]:
    """Maps the domain to the stage. If the record names a hosted zone, also creates the DNS alias.

    Raises:
        ProvisioningError: the domain or its DNS record is already in use.
    """
    mapping = _mapping(record) or aws.client("apigatewayv2").create_api_mapping(
        DomainName=record.domain_name, ApiId=record.api_id, Stage=record.stage_name, ApiMappingKey=""
    )
    if record.hosted_zone_id:
        alias(record)
    return transfer.answered(mapping, Area.DOMAIN)


def _mapping(record: ApiGateway) -> dict[str, Any] | None:
    for mapping in answers.items("get_api_mappings", DomainName=record.domain_name):
        if mapping.get("ApiMappingKey"):
            continue
        if (mapping["ApiId"], mapping["Stage"]) != (record.api_id, record.stage_name):
            raise ProvisioningError(
                f"{record.domain_name} is already mapped to API {mapping['ApiId']}, stage {mapping['Stage']}. "
                "Remove that mapping, or choose another domain."
            )
        return mapping
    return None


def alias(record: ApiGateway) -> None:
    """Creates the DNS alias of the domain. A record that points elsewhere is not changed."""
    wanted = _alias_target(record)
    present = dns_record(record)
    if present is None:
        _change_dns(record, "CREATE", wanted)
    elif points_at(present) != wanted["DNSName"]:
        raise ProvisioningError(
            f"Hosted zone {record.hosted_zone_id} already has a {present['Type']} record for "
            f"{record.domain_name}, which points elsewhere. Remove that record, then try again."
        )


def remove_alias(record: ApiGateway) -> None:
    """Removes our alias from DNS. A record that points elsewhere is not changed."""
    wanted = _alias_target(record)
    present = dns_record(record) or {}
    if points_at(present) == wanted["DNSName"]:
        _change_dns(record, "DELETE", present["AliasTarget"])


def dns_record(record: ApiGateway) -> dict[str, Any] | None:
    """The A or CNAME record of the domain in the hosted zone, or None."""
    answer = aws.client("route53").list_resource_record_sets(
        HostedZoneId=record.hosted_zone_id, StartRecordName=record.domain_name, MaxItems="10"
    )
    for one in answer["ResourceRecordSets"]:
        if one["Name"].rstrip(".") == record.domain_name and one["Type"] in ("A", "CNAME"):
            found: dict[str, Any] = one
            return found
    return None


def points_at(dns: Mapping[str, Any] | None) -> str:
    """The target of a DNS alias; "" if there is none."""
    return str((dns or {}).get("AliasTarget", {}).get("DNSName", "")).rstrip(".")


def _alias_target(record: ApiGateway) -> dict[str, Any]:
    domain = read(record)
    if domain is None:
        raise ProvisioningError(f"The domain {record.domain_name} no longer exists in API Gateway.")
    there = domain["DomainNameConfigurations"][0]
    return {
        "HostedZoneId": there.get("HostedZoneId", ""),
        "DNSName": there["ApiGatewayDomainName"],
        "EvaluateTargetHealth": False,
    }


def _change_dns(record: ApiGateway, action: str, target: dict[str, Any]) -> None:
    change = {
        "Action": action,
        "ResourceRecordSet": {"Name": record.domain_name, "Type": "A", "AliasTarget": target},
    }
    aws.client("route53").change_resource_record_sets(
        HostedZoneId=record.hosted_zone_id, ChangeBatch={"Comment": "ws_lambda", "Changes": [change]}
    )
