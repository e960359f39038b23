"""Creates a gateway in AWS step by step. The result of each step is stored before the next one starts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import aws
from ws_lambda.conf import gateway_secrets
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import domain, rules, websocket_api
from ws_lambda.provisioning.lease import Lease, LeaseLostError, held, load
from ws_lambda.tables.gateways import ApiGateway, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One part of a gateway to create."""

    label: str
    """Its name for people."""

    reaches: Status
    """The status of the record once the step is done."""

    run: Callable[[ApiGateway], Mapping[str, Any]]
    """Creates the part, or finds that it exists. Returns the attributes to store."""


class Progress(StrEnum):
    """The state of a step."""

    STARTED = "started"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


Report = Callable[[Step, Progress], None]

API_STEPS = (
    Step(label="WebSocket API", reaches=Status.API_CREATED, run=websocket_api.create),
    Step(label="Routes and integrations", reaches=Status.ROUTES_CREATED, run=websocket_api.create_routes),
    Step(label="Deployment and stage", reaches=Status.DEPLOYED, run=websocket_api.deploy),
)
DOMAIN_STEPS = (
    Step(label="Custom domain", reaches=Status.DOMAIN_CREATED, run=domain.create),
    Step(label="API mapping and DNS", reaches=Status.MAPPED, run=domain.attach),
)


def _quiet(_step: Step, _progress: Progress) -> None:
    """Reports nothing."""


def create(name: str, report: Report = _quiet) -> ApiGateway:
    """Creates the API with its routes, stage and deployment, or continues an earlier attempt.

    Raises:
        GatewayBusyError: another process is working on the gateway.
        ValidationError: the record has a value that AWS would refuse.
        ProvisioningError: AWS refused a step. The record keeps what was created, and `last_error` gives the reason.
    """
    return _run(name, API_STEPS, report)


def create_domain(name: str, report: Report = _quiet) -> ApiGateway:
    """Creates the custom domain of a deployed gateway.

    Raises:
        GatewayBusyError, ValidationError: as in `create`.
        ProvisioningError: as in `create`, or the gateway is not deployed, or its record has no domain name.
    """
    record = load(name)
    if not record.reached(Status.DEPLOYED):
        raise ProvisioningError(f"Gateway {name!r} is not deployed yet. Create it in AWS first.")
    if not record.domain_name:
        raise ProvisioningError(f"Gateway {name!r} has no domain name. Enter a domain name and a certificate first.")
    return _run(name, DOMAIN_STEPS, report)


def _run(name: str, steps: Sequence[Step], report: Report) -> ApiGateway:
    rules.check(load(name))
    with held(name) as lease:
        for step in steps:
            if lease.record.reached(step.reaches):
                report(step, Progress.SKIPPED)
                continue
            report(step, Progress.STARTED)
            try:
                _make(step, lease)
            except Exception:
                report(step, Progress.FAILED)
                raise
            report(step, Progress.DONE)
    return lease.record


def _make(step: Step, lease: Lease) -> None:
    values: Mapping[str, Any] = {}
    with recorded(lease, step.label):
        values = step.run(lease.record)
    try:
        lease.store({**values, "status": step.reaches.value, "last_error": ""})
    except LeaseLostError:
        if step.run is websocket_api.create:
            _give_up(lease.record.api_name, values["api_id"])
        raise


@contextmanager
def recorded(lease: Lease, label: str) -> Iterator[None]:
    """Stores an error of AWS as the record's last error, and raises it as a ProvisioningError."""
    try:
        yield
    except (ClientError, BotoCoreError, ProvisioningError) as error:
        message = f"{label}: {_without_secrets(str(error))}"
        lease.store({"last_error": message})
        raise ProvisioningError(message) from error


def _without_secrets(text: str) -> str:
    """AWS quotes what it refuses, which may be a header mapping that contains the gateway secret."""
    for secret in gateway_secrets():
        text = text.replace(secret, "…")
    return text


def _give_up(name: str, api_id: str) -> None:
    """Deletes the API that this process created after its lease was lost, if the other process created its own."""
    other = load(name).api_id
    if other and other != api_id:
        aws.client("apigatewayv2").delete_api(ApiId=api_id)
