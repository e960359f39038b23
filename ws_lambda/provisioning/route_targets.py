"""The routes of a gateway and their targets, in the form that API Gateway takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from ws_lambda import aws
from ws_lambda.events import HTTP_HEADERS, SECRET_HEADER, route_slug
from ws_lambda.provisioning.rules import gateway_secret
from ws_lambda.tables.gateways import ApiGateway, Integration

TIMEOUT_MS = 29_000
"""The longest that API Gateway waits for an integration.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The target of a route."""

    uri: str
    kind: str
    """`AWS_PROXY` for a Lambda function, `HTTP_PROXY` for a URL."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Request parameters. They contain the gateway secret, so they are not in the repr."""

    def arguments(self) -> dict[str, object]:
        """The arguments of CreateIntegration and UpdateIntegration."""
        said: dict[str, object] = {
            "IntegrationType": self.kind,
            "IntegrationMethod": "POST",
            "IntegrationUri": self.uri,
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": TIMEOUT_MS,
        }
        return said | ({"RequestParameters": dict(self.headers)} if self.headers else {})


def wanted(record: ApiGateway) -> dict[str, Target]:
    """The target of every route of the record, by route key."""
    keys = {"$connect": "", "$disconnect": "", record.route_key: ""}
    keys |= {route.route_key: route.target for route in record.additional_routes}
    return {key: target(record, key, named) for key, named in keys.items()}


def target(record: ApiGateway, key: str, named: str = "") -> Target:
    """The target of one route. `named` is the target of an additional route, or ""."""
    if record.integration == Integration.LAMBDA:
        return Target(uri=invocation_uri(record.lambda_function_arn), kind="AWS_PROXY")
    headers = {f"integration.request.header.{header}": variable for header, variable in HTTP_HEADERS.items()}
    headers[f"integration.request.header.{SECRET_HEADER}"] = f"'{gateway_secret()}'"
    url = urljoin(record.target_base_endpoint, named or route_slug(key))
    return Target(uri=url, kind="HTTP_PROXY", headers=headers)


def invocation_uri(function_arn: str) -> str:
    """The URI with which API Gateway invokes a function."""
    partition, region = function_arn.split(":")[1], function_arn.split(":")[3]
    return f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def function_arn(uri: str) -> str:
    """The function of an invocation URI; "" if it names none."""
    found = re.search(r"/functions/(arn:[^/]+)/invocations$", uri)
    return found[1] if found else ""


def integration_id(route: Mapping[str, Any]) -> str:
    """The id of the integration of a route; "" if it has none."""
    return str(route.get("Target", "")).rpartition("/")[2]


def execution_arn(record: ApiGateway) -> str:
    """The ARN pattern of every stage and route of the API, as the source of an invocation."""
    parts = record.lambda_function_arn.split(":")
    return f"arn:{parts[1]}:execute-api:{aws.region()}:{parts[4]}:{record.api_id}/*"
