"""Looks a deployment over, and says for each thing that is wrong what to do about it."""

import http.client
import json
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from ws_lambda import aws, clock
from ws_lambda.conf import conf, gateway_secrets
from ws_lambda.events import FIXED_ROUTES, ONE_WAY
from ws_lambda.provisioning import answers, aws_errors, dynamodb_tables
from ws_lambda.provisioning.role_policy import REQUIRED, granted

Level = Literal["ok", "warning", "error"]
MAX_CLOCK_SKEW = 60
"""Seconds. AWS refuses signatures from five minutes on; tokens live for one."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    level: Level
    subject: str
    text: str
    advice: str = ""


@dataclass
class Patient:
    """The deployment in question; what is not named is not looked at."""

    function: str = ""
    api_id: str = ""
    stage: str = ""
    url: str = ""
    queue_url: str = ""
    configuration: dict[str, Any] = field(default_factory=dict)
    """Lambda's own description of the function."""

    @classmethod
    def of_function(cls, name: str) -> "Patient":
        """A deployed function and what its environment says about its API.

        Raises:
            botocore.exceptions.ClientError: there is no such function.
        """
        found = aws.client("lambda").get_function_configuration(FunctionName=name)
        variables = found.get("Environment", {}).get("Variables", {})
        url = variables.get("WS_LAMBDA_WEBSOCKET_URL", "")
        return cls(
            function=name,
            api_id=variables.get("WS_LAMBDA_GATEWAY_IDS", "").partition(",")[0],
            stage=urlsplit(url).path.strip("/"),
            url=url,
            queue_url=variables.get("FANOUT_QUEUE_URL", conf.FANOUT_QUEUE_URL),
            configuration=found,
        )


def examine(patient: Patient, *, reach: bool = True) -> Iterator[Finding]:
    """Everything there is to say, good and bad. An error of AWS is a finding, too, and stops nothing.

    Args:
        patient: what to look at.
        reach: whether to open a connection to the URL.
    """
    looks: list[tuple[str, Callable[[Patient], Iterator[Finding]]]] = [
        ("tables", _tables),
        ("clock", _clock),
        ("secret", _secret),
        ("api", _api),
        ("permission", _permission),
        ("policy", _policy),
        ("queue", _queue),
    ]
    if reach:
        looks.append(("url", _url))
    for subject, look in looks:
        try:
            yield from look(patient)
        except (ClientError, BotoCoreError) as error:
            yield Finding("error", subject, str(error), aws_errors.advice(error))


def _tables(_patient: Patient) -> Iterator[Finding]:
    for state in dynamodb_tables.status():
        if state.right:
            yield Finding("ok", "tables", f"{state.name} is as its model")
        elif state.status == "missing":
            yield Finding("error", "tables", f"{state.name} is missing", "manage.py ws_tables create")
        else:
            text = "; ".join(state.wrong) or f"it is {state.status}"
            yield Finding("error", "tables", f"{state.name}: {text}", "serverless_config/README.md tells the order")


def _clock(_patient: Patient) -> Iterator[Finding]:
    answer = aws.client("dynamodb").list_tables(Limit=1)
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    skew = clock.now() - theirs
    if abs(skew) > MAX_CLOCK_SKEW:
        yield Finding("error", "clock", f"this clock is {skew:+.0f} s off AWS's", "Set it by NTP.")
    else:
        yield Finding("ok", "clock", f"within {MAX_CLOCK_SKEW} s of AWS's")


def _secret(patient: Patient) -> Iterator[Finding]:
    for name, value in _secrets(patient):
        if len(value) < 32 or value.startswith("django-insecure-"):
            yield Finding("error", "secret", f"{name} is short or a placeholder", "Use 48 random characters or more.")
        else:
            yield Finding("ok", "secret", f"{name} is long enough")


def _secrets(patient: Patient) -> list[tuple[str, str]]:
    """Those that the function's variables hold; where they hold none, or no function is named, the settings' here."""
    variables = patient.configuration.get("Environment", {}).get("Variables", {})
    given = [(name, value) for name, value in variables.items() if name.endswith("SECRET") and value]
    given += [(name, value) for name, value in variables.items() if name.endswith("SECRET_KEY")]
    if given:
        return given
    return [("SECRET_KEY", settings.SECRET_KEY), *(("GATEWAY_SECRET", value) for value in gateway_secrets())]


def _api(patient: Patient) -> Iterator[Finding]:
    if not patient.api_id:
        yield Finding("warning", "api", "no API is named", "Name one with --api-id, or the function with --function.")
        return
    api = aws.client("apigatewayv2").get_api(ApiId=patient.api_id)
    if api["ProtocolType"] != "WEBSOCKET":
        yield Finding("error", "api", f"{patient.api_id} is not a WebSocket API", "Name the one of zappa status.")
        return
    routes = {one["RouteKey"]: one for one in answers.items("get_routes", ApiId=patient.api_id)}
    for key in dict.fromkeys((*FIXED_ROUTES, *conf.ROUTE_PATHS)):
        yield from _route(key, routes.get(key))
    stages = {one["StageName"]: one for one in answers.items("get_stages", ApiId=patient.api_id)}
    if patient.stage and patient.stage not in stages:
        yield Finding("error", "api", f"there is no stage {patient.stage}", "zappa update, or ws_gateway sync --to-aws")
    for name, stage in stages.items():
        yield from _stage(name, stage)


def _route(key: str, route: dict[str, Any] | None) -> Iterator[Finding]:
    if route is None or not route.get("Target"):
        advice = 'Put it into "websocket_api": {"routes": [...]} and run zappa update.'
        yield Finding("error", "api", f"the route {key} is missing or goes nowhere", advice)
    elif key not in ONE_WAY and not route.get("RouteResponseSelectionExpression"):
        yield Finding("warning", "api", f"the route {key} has no response: answers do not reach the client")
    else:
        yield Finding("ok", "api", f"the route {key} is there")


def _stage(name: str, stage: dict[str, Any]) -> Iterator[Finding]:
    if not stage.get("DefaultRouteSettings", {}).get("ThrottlingRateLimit"):
        yield Finding(
            "warning", "api", f"the stage {name} has no throttling", 'Set "websocket_api": {"throttling": ...}.'
        )
    if not stage.get("AccessLogSettings", {}).get("DestinationArn"):
        advice = "Apply serverless_config/account.yaml once, then zappa update."
        yield Finding("warning", "api", f"the stage {name} has no access log", advice)
    if not (stage.get("DeploymentId") or stage.get("AutoDeploy")):
        yield Finding("error", "api", f"the stage {name} was never deployed", "ws_gateway sync --to-aws")
    yield Finding("ok", "api", f"the stage {name} is there")


def _permission(patient: Patient) -> Iterator[Finding]:
    """Without it every connect fails with a 500 that no log of the function knows about."""
    if not (patient.function and patient.api_id):
        return
    client = aws.client("lambda")
    for called in _called(patient):
        try:
            text = client.get_policy(FunctionName=called)["Policy"]
        except client.exceptions.ResourceNotFoundException:
            text = '{"Statement": []}'
        if any(patient.api_id in json.dumps(one.get("Condition", {})) for one in json.loads(text)["Statement"]):
            yield Finding("ok", "permission", f"{patient.api_id} may invoke {called}")
        else:
            yield Finding("error", "permission", f"{patient.api_id} may not invoke {called}", "zappa update")


def _called(patient: Patient) -> list[str]:
    """What the API calls of the function: itself, or with SnapStart an alias, which has a policy of its own."""
    uris = (one.get("IntegrationUri", "") for one in answers.items("get_integrations", ApiId=patient.api_id))
    names = {found[1] for uri in uris if (found := re.search(r":function:([^/]+)/invocations", uri))}
    return sorted(name for name in names if name.partition(":")[0] == patient.function) or [patient.function]


def _policy(patient: Patient) -> Iterator[Finding]:
    if not patient.configuration:
        return
    has = granted(patient.configuration["Role"])
    wide = sorted(action for action in has if action.endswith(":*") or action == "*")
    if wide:
        advice = '"attach_policy": "serverless_config/iam/function.json", then zappa update'
        yield Finding("warning", "policy", f"the role may do {', '.join(wide)}", advice)
    services = {action.partition(":")[0] for action in wide}
    lacking = sorted(
        one for one in REQUIRED if one not in has and one.partition(":")[0] not in services and "*" not in has
    )
    if lacking:
        advice = "Add what serverless_config/iam/function.json has, then zappa update."
        yield Finding("error", "policy", f"the role may not {', '.join(lacking)}", advice)
    else:
        yield Finding("ok", "policy", "the role may do what the function needs")


def _queue(patient: Patient) -> Iterator[Finding]:
    if not patient.queue_url:
        return
    wanted = ["VisibilityTimeout", "RedrivePolicy"]
    found = aws.client("sqs").get_queue_attributes(QueueUrl=patient.queue_url, AttributeNames=wanted)["Attributes"]
    timeout = int(patient.configuration.get("Timeout", 0))
    if int(found["VisibilityTimeout"]) < 6 * timeout:
        text = f"messages come back after {found['VisibilityTimeout']} s, the function may take {timeout} s"
        yield Finding(
            "error", "queue", text, "Apply serverless_config/queue.yaml with six times the function's timeout."
        )
    elif "RedrivePolicy" not in found:
        yield Finding("warning", "queue", "there is no dead-letter queue", "Apply serverless_config/queue.yaml.")
    else:
        yield Finding("ok", "queue", "it waits long enough, and has a dead-letter queue")
    if patient.function:
        mappings = aws.client("lambda").list_event_source_mappings(FunctionName=patient.function)["EventSourceMappings"]
        if not any("ReportBatchItemFailures" in one.get("FunctionResponseTypes", []) for one in mappings):
            yield Finding(
                "error", "queue", "no mapping with partial-batch failures", "zappa update, with the deploy hook"
            )


def _url(patient: Patient) -> Iterator[Finding]:
    """A plain GET: whatever is answered, the way there is open."""
    if not patient.url:
        return
    parts = urlsplit(patient.url)
    try:
        if parts.scheme in ("wss", "https"):
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.netloc, timeout=10, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        advice = "Look at DNS and the certificate of the domain, and at the network between."
        yield Finding("error", "url", f"{parts.netloc} cannot be reached: {error}", advice)
    else:
        yield Finding("ok", "url", f"{parts.netloc} answers ({status} to a plain GET)")
