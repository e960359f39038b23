"""Completes the WebSocket API in Zappa's CloudFormation template.

Zappa writes the API, three routes, a stage and the permission to invoke the function. This module adds custom routes,
route responses (without which answers do not reach the client), throttling, an access log, a domain, and outputs. If an
API is adopted, the resources are attached to that API instead.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from ws_lambda.provisioning.zappa.websocket_block import WebSocketBlock

API, INTEGRATION, STAGE = "WsApi", "WsIntegration", "WsStage"
_ZAPPA_ROUTES = {"$connect": "WsConnectRoute", "$disconnect": "WsDisconnectRoute", "$default": "WsDefaultRoute"}


def complete(
    template: Any,
    block: WebSocketBlock,
    *,
    name: str,
    foreign_routes: Mapping[str, Mapping[str, Any]] | None = None,
    foreign_stage: bool = False,
    present: Collection[str] = (),
) -> None:
    """Completes the troposphere template that Zappa's `create_websocket_api` wrote.

    Args:
        template: `cli.zappa.cf_template`.
        block: the stage's `websocket_api` block.
        name: the name of the function, which is in the names of log groups.
        foreign_routes: routes of an adopted API that this stack did not create, by key, as `get_routes` returns them.
        foreign_stage: whether the adopted API already has the stage.
        present: the logical ids of the resources that the stack already has.
    """
    from troposphere import Ref

    api = _api(template, block)
    for key in block.all_routes:
        if foreign := (foreign_routes or {}).get(key):
            template.resources.pop(_ZAPPA_ROUTES.get(key, ""), None)
            # After the first deploy the route uses our response. Only the stack shows that the response is ours.
            is_ours = not foreign.get("RouteResponseSelectionExpression") or response_id(key) in present
            if key in block.answering and is_ours:
                _response(template, key, foreign["RouteId"], api)
        else:
            _route(template, block, key, api)
    stage = template.resources[STAGE]
    if foreign_stage:
        del template.resources[STAGE]
    else:
        _stage(stage, template, block, name)
    if block.domain:
        _domain(template, block, api, stage.StageName if foreign_stage else Ref(STAGE))
    _outputs(template, block, api)


def logical_id(route_key: str) -> str:
    """The logical id of a route: Zappa's own for its three routes, letters and digits for the others."""
    words = re.findall(r"[A-Za-z0-9]+", route_key)
    plain = "".join(word[:1].upper() + word[1:] for word in words)
    # Route keys that differ only in punctuation or in a first capital need different logical ids.
    is_plain = route_key == plain[:1].lower() + plain[1:]
    mark = "" if is_plain else hashlib.sha256(route_key.encode()).hexdigest()[:8]
    return _ZAPPA_ROUTES.get(route_key, f"WsRoute{plain}{mark}")


def response_id(route_key: str) -> str:
    """The logical id of a route's response. No id of a route begins in the same way."""
    return logical_id(route_key).replace("Ws", "WsResponseOf", 1)


def _api(template: Any, block: WebSocketBlock) -> Any:
    from troposphere import Ref

    api = template.resources[API]
    if not block.adopt:
        api.RouteSelectionExpression = block.route_selection_expression
        api.Description = block.description
        if block.tags:
            api.Tags = dict(block.tags)
        return Ref(API)
    del template.resources[API]
    for resource in template.resources.values():
        if resource.title.startswith("Ws") and "ApiId" in resource.props:
            resource.ApiId = block.adopt
    parts = template.resources["WsInvokePermission"].SourceArn.data["Fn::Join"][1]
    parts[-2] = block.adopt
    return block.adopt


def _route(template: Any, block: WebSocketBlock, key: str, api: Any) -> None:
    from troposphere import Join, Ref
    from troposphere.apigatewayv2 import Route

    title = logical_id(key)
    if title not in template.resources:
        target = Join("", ["integrations/", Ref(INTEGRATION)])
        template.add_resource(Route(title, ApiId=api, RouteKey=key, Target=target))
    if key in block.answering:
        template.resources[title].RouteResponseSelectionExpression = "$default"
        _response(template, key, Ref(title), api)


def _response(template: Any, key: str, route_id: Any, api: Any) -> None:
    from troposphere.apigatewayv2 import RouteResponse

    response = RouteResponse(response_id(key), ApiId=api, RouteId=route_id, RouteResponseKey="$default")
    template.add_resource(response)


def _stage(stage: Any, template: Any, block: WebSocketBlock, name: str) -> None:
    from troposphere.apigatewayv2 import AccessLogSettings, RouteSettings

    limits = dict(block.throttling)
    stage.DefaultRouteSettings = RouteSettings(DetailedMetricsEnabled=block.detailed_metrics, **_throttle(limits))
    if block.route_throttling:
        # Route settings are not merged with the stage's, so each must repeat them.
        stage.RouteSettings = {
            key: {"DetailedMetricsEnabled": block.detailed_metrics, **_throttle({**limits, **own})}
            for key, own in block.route_throttling.items()
        }
        stage.DependsOn = [logical_id(key) for key in block.route_throttling if logical_id(key) in template.resources]
    if block.stage_variables:
        stage.StageVariables = dict(block.stage_variables)
    if block.access_log:
        destination = _log_destination(template, block, name)
        stage.AccessLogSettings = AccessLogSettings(DestinationArn=destination, Format=block.log_format)


def _throttle(limits: dict[str, float]) -> dict[str, float]:
    named = {"rate": "ThrottlingRateLimit", "burst": "ThrottlingBurstLimit"}
    return {named[key]: value for key, value in limits.items()}


def _log_destination(template: Any, block: WebSocketBlock, name: str) -> Any:
    from troposphere import Join, Ref
    from troposphere.logs import LogGroup

    wanted = block.access_log if not isinstance(block.access_log, bool) else {}
    if "destination_arn" in wanted:
        return wanted["destination_arn"]
    group = LogGroup("WsAccessLog", LogGroupName=f"/ws-lambda/{name}/access")
    group.RetentionInDays = wanted.get("retention_days", 30)
    template.add_resource(group)
    # The group's Arn attribute ends in ":*", which API Gateway refuses.
    parts = ["arn:", Ref("AWS::Partition"), ":logs:", Ref("AWS::Region"), ":", Ref("AWS::AccountId"), ":log-group:"]
    return Join("", [*parts, Ref(group)])


def _domain(template: Any, block: WebSocketBlock, api: Any, stage: Any) -> None:
    from troposphere import GetAtt, Ref
    from troposphere.apigatewayv2 import ApiMapping, DomainName, DomainNameConfiguration
    from troposphere.route53 import AliasTarget, RecordSetType

    wanted = block.domain
    assert wanted is not None  # noqa: S101 - for the type checker; the caller asked
    # WebSocket APIs need regional domains, and TLS 1.2 or newer.
    configuration = DomainNameConfiguration(
        CertificateArn=wanted.certificate_arn, EndpointType="REGIONAL", SecurityPolicy="TLS_1_2"
    )
    domain = DomainName("WsDomain", DomainName=wanted.name, DomainNameConfigurations=[configuration])
    template.add_resource(domain)
    mapping = ApiMapping("WsMapping", ApiId=api, DomainName=Ref(domain), Stage=stage)
    if wanted.mapping:
        mapping.ApiMappingKey = wanted.mapping
    template.add_resource(mapping)
    if wanted.hosted_zone_id:
        zone, target = GetAtt(domain, "RegionalHostedZoneId"), GetAtt(domain, "RegionalDomainName")
        record = RecordSetType("WsDomainRecord", Name=wanted.name, Type="A", HostedZoneId=wanted.hosted_zone_id)
        record.AliasTarget = AliasTarget(DNSName=target, HostedZoneId=zone)
        template.add_resource(record)


def _outputs(template: Any, block: WebSocketBlock, api: Any) -> None:
    from troposphere import Output

    template.add_output(Output("WebSocketApiId", Value=api, Description="The WebSocket API"))
    if block.domain:
        path = f"/{block.domain.mapping}" if block.domain.mapping else ""
        url = f"wss://{block.domain.name}{path}"
        template.add_output(Output("WebSocketDomainUrl", Value=url, Description="Where clients connect"))
