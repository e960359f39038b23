"""What moto's apigatewayv2 lacks for a WebSocket API: deployments, changing a stage, a domain's address.

Named after the operations of the service model, and answering with its shapes; botocore parses every answer.
"""

import json
import re
import uuid
from functools import cache
from typing import Any
from urllib.parse import unquote

import pytest
from moto.apigateway import urls as both_urls
from moto.apigatewayv2 import urls
from moto.apigatewayv2.exceptions import StageNotFound
from moto.apigatewayv2.models import Api, DomainName, Stage
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.core import responses
from moto.core.utils import method_names_from_class

Answer = tuple[int, dict[str, str], str]


def install(patch: pytest.MonkeyPatch) -> None:
    """Adds them for as long as `patch` lasts; before moto starts."""
    for operation in (
        create_deployment,
        get_deployments,
        get_route_responses,
        update_stage,
        delete_access_log_settings,
        update_domain_name,
    ):
        patch.setattr(ApiGatewayV2Response, operation.__name__, operation, raising=False)
    for path in ("/deployments$", "/stages/(?P<stage_name>[^/]+)/accesslogsettings$"):
        for known in (urls, both_urls):  # moto asks the second, which has a copy from when it was first imported
            patch.setitem(known.url_paths, "{0}/v2/apis/(?P<api_id>[^/]+)" + path, ApiGatewayV2Response.dispatch)
    patch.setattr(responses, "method_names_from_class", cache(method_names_from_class))
    patch.setattr(Stage, "to_json", _with_deployment(Stage.to_json))
    patch.setattr(DomainName, "to_json", _with_address(DomainName.to_json))


def _api(response: ApiGatewayV2Response) -> Api:
    found = re.search(r"/v2/apis/([^/]+)", response.path)
    assert found
    return response.apigatewayv2_backend.get_api(found[1])


def _stage(response: ApiGatewayV2Response) -> Stage:
    found = re.search(r"/stages/([^/]+)", response.path)
    assert found
    return _api(response).get_stage(unquote(found[1]))


def create_deployment(self: ApiGatewayV2Response) -> Answer:
    api, said = _api(self), json.loads(self.body or "{}")
    made = {"deploymentId": uuid.uuid4().hex[:6], "deploymentStatus": "DEPLOYED", **said}
    api.__dict__.setdefault("deployments", []).append(made)
    if name := said.get("stageName"):
        if name not in api.stages:
            raise StageNotFound
        api.stages[name].config["deploymentId"] = made["deploymentId"]
    return 201, {}, json.dumps(made)


def get_deployments(self: ApiGatewayV2Response) -> Answer:
    return 200, {}, json.dumps({"items": _api(self).__dict__.get("deployments", [])})


def get_route_responses(self: ApiGatewayV2Response) -> Answer:
    found = re.search(r"/routes/([^/]+)/", self.path)
    assert found
    responses = _api(self).get_route(found[1]).route_responses.values()
    return 200, {}, json.dumps({"items": [one.to_json() for one in responses]})


def update_stage(self: ApiGatewayV2Response) -> Answer:
    stage, said = _stage(self), json.loads(self.body)
    if stage.auto_deploy and said.get("deploymentId"):
        message = "Deployment ID cannot be set on an auto-deployed stage"
        return 400, {"x-amzn-ErrorType": "BadRequestException"}, json.dumps({"message": message})
    stage.config.update(said)
    stage.description = said.get("description", stage.description)
    stage.default_route_settings = said.get("defaultRouteSettings", stage.default_route_settings)
    stage.access_log_settings = said.get("accessLogSettings", stage.access_log_settings)
    return 200, {}, json.dumps(stage.to_json())


def delete_access_log_settings(self: ApiGatewayV2Response) -> Answer:
    _stage(self).access_log_settings = None
    return 204, {}, ""


def update_domain_name(self: ApiGatewayV2Response) -> Answer:
    domain = self.apigatewayv2_backend.get_domain_name(self.path.rpartition("/")[2])
    domain.domain_name_configurations = json.loads(self.body)["domainNameConfigurations"]
    return 200, {}, json.dumps(domain.to_json())


def _with_deployment(to_json: Any) -> Any:
    def wrapped(stage: Stage) -> dict[str, Any]:
        said = {"deploymentId": stage.config.get("deploymentId"), **to_json(stage)}
        return {name: value for name, value in said.items() if value is not None}

    return wrapped


def _with_address(to_json: Any) -> Any:
    def wrapped(domain: DomainName) -> dict[str, Any]:
        said: dict[str, Any] = to_json(domain)
        address = {
            "apiGatewayDomainName": f"d-{domain.domain_name.replace('.', '')}.execute-api.eu-west-1.amazonaws.com",
            "hostedZoneId": "ZLY8HYME6SFDD",
        }
        said["domainNameConfigurations"] = [address | one for one in said["domainNameConfigurations"]]
        return said

    return wrapped
