"""Making a gateway in AWS, step by step; what a step made is stored before the next one starts."""

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
    """One thing to be made."""

    label: str
    """What it is, for people."""

    reaches: Status
    """The status of the record once it is made."""

    run: Callable[[ApiGateway], Mapping[str, Any]]
    """Makes it, or finds it made; returns the attributes to store."""


class Progress(StrEnum):
    """What became of a step."""

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
    """Reports to nobody."""


def create(name: str, report: Report = _quiet) -> ApiGateway:
    """Makes the API with its routes, stage and deployment, from where an earlier attempt stopped.

    Raises:
        GatewayBusyError: another process is making it now.
        ValidationError: the record says something that AWS would not take.
        ProvisioningError: AWS refused a step. The record keeps what was made, and says why in `last_error`.
    """
    return _run(name, API_STEPS, report)


def create_domain(name: str, report: Report = _quiet) -> ApiGateway:
    """Gives a deployed gateway its custom domain.

    Raises:
        as `create`; also ProvisioningError where the API is not deployed yet or names no domain.
    """
    record = load(name)
    if not record.reached(Status.DEPLOYED):
        raise ProvisioningError(f"Gateway {name!r} is not deployed yet: create it in AWS first.")
    if not record.domain_name:
        raise ProvisioningError(f"Gateway {name!r} names no domain. Give it a domain name and a certificate.")
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
    """Turns a refusal of AWS into a ProvisioningError, after storing it as the record's last error."""
    try:
        yield
    except (ClientError, BotoCoreError, ProvisioningError) as error:
        message = f"{label}: {_without_secrets(str(error))}"
        lease.store({"last_error": message})
        raise ProvisioningError(message) from error


def _without_secrets(text: str) -> str:
    """AWS repeats what it refuses, the mapping of a header with the gateway secret included."""
    for secret in gateway_secrets():
        text = text.replace(secret, "…")
    return text


def _give_up(name: str, api_id: str) -> None:
    """Deletes the API that we made after losing the lease, where the other process made its own."""
    other = load(name).api_id
    if other and other != api_id:
        aws.client("apigatewayv2").delete_api(ApiId=api_id)
