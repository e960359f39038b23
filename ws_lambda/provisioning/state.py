"""A gateway as flat facts, as its record describes it and as AWS has it, so that the two can be compared.

A fact is a dotted name and a text: `stage.throttling_rate` → "50". An empty fact is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import answers, domain, route_targets, stage, transfer, websocket_api
from ws_lambda.provisioning.record_field import Area
from ws_lambda.tables.gateways import ApiGateway, Integration, Status

Facts = dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A fact that differs between the record and AWS."""

    name: str
    """Dotted: `stage.throttling_rate`, `route.chat`, `tags.team`."""

    record: str
    """The value in the record; "" if it has none."""

    aws: str
    """The value in AWS; "" if it has none."""

    @property
    def area(self) -> str:
        """The part of API Gateway that it belongs to: `api`, `tags`, `route`, `headers`, `stage` or `domain`."""
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        """The part of the name after the area."""
        return self.name.partition(".")[2]


def wanted(record: ApiGateway) -> Facts:
    """The facts of a record."""
    facts = transfer.facts(transfer.arguments(record, Area.API), Area.API)
    facts |= {f"tags.{key}": value for key, value in _own_tags(record).items()}
    for key, target in route_targets.wanted(record).items():
        facts[f"route.{key}"] = _place(target.uri)
        if target.headers:
            facts[f"headers.{key}"] = "as mapped"
    facts |= transfer.facts(stage.settings(record), Area.STAGE)
    if record.reached(Status.MAPPED):
        facts |= transfer.facts(domain.configuration(record), Area.DOMAIN)
        facts["domain.mapping"] = f"{record.api_id}/{record.stage_name}"
        facts["domain.alias"] = record.api_gateway_domain_name if record.hosted_zone_id else ""
    return _without_empty(facts)


def in_aws(record: ApiGateway) -> Facts:
    """The facts in AWS.

    Raises:
        ProvisioningError: the API does not exist.
    """
    present = answers.found("get_api", ApiId=record.api_id)
    if present is None:
        raise ProvisioningError(f"API {record.api_id} of gateway {record.api_name!r} does not exist in AWS.")
    facts = transfer.facts(present, Area.API)
    facts |= {f"tags.{key}": value for key, value in _tags_in_aws(record).items()}
    facts |= _route_facts(record)
    there = answers.found("get_stage", ApiId=record.api_id, StageName=record.stage_name)
    facts |= transfer.facts(there or {}, Area.STAGE)
    if record.reached(Status.MAPPED):
        facts |= _domain_facts(record)
    return _without_empty(facts)


def _own_tags(record: ApiGateway) -> Mapping[str, str]:
    return record.tags if record.adopted else websocket_api.tags(record)


def _tags_in_aws(record: ApiGateway) -> Mapping[str, str]:
    return theirs(aws.client("apigatewayv2").get_tags(ResourceArn=websocket_api.arn(record)).get("Tags", {}), record)


def theirs(tags: Mapping[str, str], record: ApiGateway) -> Mapping[str, str]:
    """An API's tags, without those of AWS and of this package. If we created the API, its owner tag is included."""
    shown = {key: value for key, value in tags.items() if not key.startswith(("aws:", "ws-lambda:"))}
    if not record.adopted and websocket_api.OWN_TAG in tags:
        shown[websocket_api.OWN_TAG] = tags[websocket_api.OWN_TAG]
    return shown


def _without_empty(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if value != ""}


def _place(uri: str) -> str:
    return route_targets.function_arn(uri) or uri


def _route_facts(record: ApiGateway) -> Facts:
    integrations = {one["IntegrationId"]: one for one in answers.items("get_integrations", ApiId=record.api_id)}
    facts: Facts = {}
    asked = route_targets.wanted(record)
    for route in answers.items("get_routes", ApiId=record.api_id):
        key = route["RouteKey"]
        integration = integrations.get(route_targets.integration_id(route), {})
        facts[f"route.{key}"] = _place(integration.get("IntegrationUri", "")) or "(no integration)"
        if record.integration == Integration.HTTP:
            target = asked.get(key) or route_targets.target(record, key)
            same = integration.get("RequestParameters", {}) == dict(target.headers)
            facts[f"headers.{key}"] = "as mapped" if same else "other headers, or another secret"
    return facts


def _domain_facts(record: ApiGateway) -> Facts:
    present = domain.read(record)
    if present is None:
        return {}
    mappings = answers.items("get_api_mappings", DomainName=record.domain_name)
    root = next((one for one in mappings if not one.get("ApiMappingKey")), None)
    return {
        **transfer.facts(present["DomainNameConfigurations"][0], Area.DOMAIN),
        "domain.mapping": f"{root['ApiId']}/{root['Stage']}" if root else "",
        "domain.alias": domain.points_at(domain.dns_record(record)) if record.hosted_zone_id else "",
    }
