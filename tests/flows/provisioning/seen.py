"""What AWS has, for assertions."""

from typing import Any

from ws_lambda import aws


def apis() -> list[dict[str, Any]]:
    return list(aws.client("apigatewayv2").get_apis()["Items"])


def routes(api_id: str) -> dict[str, dict[str, Any]]:
    return {one["RouteKey"]: one for one in aws.client("apigatewayv2").get_routes(ApiId=api_id)["Items"]}


def integrations(api_id: str) -> dict[str, dict[str, Any]]:
    listed = aws.client("apigatewayv2").get_integrations(ApiId=api_id)["Items"]
    return {one["IntegrationId"]: one for one in listed}


def alias(zone: str) -> list[tuple[str, str]]:
    listed = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [(one["Name"], one["AliasTarget"]["DNSName"]) for one in listed if one["Type"] == "A"]
