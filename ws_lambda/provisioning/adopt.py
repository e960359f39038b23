"""Creates the record of an API that something else created, such as `zappa deploy`. Only reads AWS."""

from typing import Any

from ws_lambda.events import FIXED_ROUTES
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models import gateways
from ws_lambda.provisioning import answers, lease, route_targets, rules, state, transfer
from ws_lambda.provisioning.record_field import Area
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Integration, Status


def adopt(name: str, api_id: str, *, stage: str = "", default_channel: str = "") -> ApiGateway:
    """Creates the record of an existing WebSocket API.

    Args:
        name: the name of the new record.
        api_id: the API's id, the first part of its generated address.
        stage: the stage to manage; "" if the API has only one.
        default_channel: the channel of clients that name none.

    Raises:
        ProvisioningError: the API does not exist, is not a WebSocket API, or is already registered.
        ValidationError: the API has a value that a record may not have.
    """
    _refuse_known(name, api_id)
    api = answers.found("get_api", ApiId=api_id)
    if api is None:
        raise ProvisioningError(f"API {api_id!r} does not exist in this account and region.")
    if api["ProtocolType"] != "WEBSOCKET":
        raise ProvisioningError(f"API {api_id!r} is an {api['ProtocolType']} API, not a WebSocket API.")
    record = ApiGateway(
        api_name=name,
        default_channel_name=default_channel,
        adopted=True,
        status=Status.DEPLOYED.value,
        **transfer.answered(api, Area.API),
        **transfer.values(api, Area.API),
    )
    record.tags = dict(state.theirs(api.get("Tags", {}), record))
    _read_stage(record, stage)
    _read_routes(record)
    rules.check(record)
    lease.save(record)
    gateways.forget()
    return record


def _refuse_known(name: str, api_id: str) -> None:
    if ApiGateway.count(name):
        raise ProvisioningError(f"A gateway named {name!r} already exists.")
    for other in ApiGateway.by_api_id.query(api_id):
        raise ProvisioningError(f"API {api_id!r} is already registered, as gateway {other.api_name!r}.")


def _read_stage(record: ApiGateway, stage: str) -> None:
    stages = {one["StageName"]: one for one in answers.items("get_stages", ApiId=record.api_id)}
    if not stage and len(stages) != 1:
        raise ProvisioningError(f"Name the stage. API {record.api_id} has {', '.join(sorted(stages)) or 'none'}.")
    stage = stage or next(iter(stages))
    if stage not in stages:
        raise ProvisioningError(f"API {record.api_id} has no stage {stage!r}. It has {', '.join(sorted(stages))}.")
    said = stages[stage]
    for name, value in {**transfer.values(said, Area.STAGE), **transfer.answered(said, Area.STAGE)}.items():
        setattr(record, name, value)


def _read_routes(record: ApiGateway) -> None:
    integrations = {one["IntegrationId"]: one for one in answers.items("get_integrations", ApiId=record.api_id)}
    leads = {
        route["RouteKey"]: integrations.get(route_targets.integration_id(route), {})
        for route in answers.items("get_routes", ApiId=record.api_id)
    }
    main = leads.get(record.route_key) or leads.get("$connect") or {}
    _read_integration(record, main)
    record.additional_routes = [
        AdditionalRoute(name=key, route_key=key, target=_target(lead))  # type: ignore[no-untyped-call]
        for key, lead in sorted(leads.items())
        if key not in (*FIXED_ROUTES, record.route_key)
    ]


def _read_integration(record: ApiGateway, lead: dict[str, Any]) -> None:
    uri = lead.get("IntegrationUri", "")
    if function := route_targets.function_arn(uri):
        record.integration = Integration.LAMBDA.value
        record.lambda_function_arn = function
    elif lead.get("IntegrationType") == "HTTP_PROXY":
        record.integration = Integration.HTTP.value
        record.target_base_endpoint = uri[: uri.rindex("/") + 1]
    else:
        raise ProvisioningError(
            f"The route {record.route_key} of API {record.api_id} leads neither to a Lambda function nor to a URL, "
            "so this package cannot manage the API."
        )


def _target(lead: dict[str, Any]) -> str:
    uri = str(lead.get("IntegrationUri", ""))
    return "" if route_targets.function_arn(uri) else uri
