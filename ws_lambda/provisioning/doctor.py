"""Checks a deployment, and gives advice for each problem that it finds."""

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

from ws_lambda import aws, clock, deadlines
from ws_lambda.conf import conf, gateway_secrets
from ws_lambda.events import FIXED_ROUTES, ONE_WAY
from ws_lambda.provisioning import answers, aws_errors, dynamodb_tables
from ws_lambda.provisioning.role_policy import REQUIRED, granted

Level = Literal["ok", "warning", "error"]
MAX_CLOCK_SKEW = 60
"""Seconds. AWS refuses signatures at a difference of five minutes, and tokens are valid for one minute.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    level: Level
    subject: str
    text: str
    advice: str = ""


@dataclass
class Deployment:
    """The deployment to check. Parts that are not named are not checked."""

    function: str = ""
    api_id: str = ""
    stage: str = ""
    url: str = ""
    queue_url: str = ""
    configuration: dict[str, Any] = field(default_factory=dict)
    """Lambda's own description of the function."""

    @classmethod
    def of_function(cls, name: str) -> "Deployment":
        """A deployed function, with the API that its environment names.

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


def examine(deployment: Deployment, *, reach: bool = True) -> Iterator[Finding]:
    """Every finding, good and bad. An error of AWS becomes a finding, and the other checks go on.

    Args:
        deployment: what to check.
        reach: whether to open a connection to the URL.
    """
    checks: list[tuple[str, Callable[[Deployment], Iterator[Finding]]]] = [
        ("tables", _tables),
        ("clock", _clock),
        ("secret", _secret),
        ("timeout", _timeout),
        ("api", _api),
        ("permission", _permission),
        ("policy", _policy),
        ("queue", _queue),
    ]
    if reach:
        checks.append(("url", _url))
    for subject, check in checks:
        try:
            yield from check(deployment)
        except (ClientError, BotoCoreError) as error:
            yield Finding("error", subject, str(error), aws_errors.advice(error))


def _tables(_deployment: Deployment) -> Iterator[Finding]:
    for state in dynamodb_tables.status():
        if state.right:
            yield Finding("ok", "tables", f"{state.name} matches its model")
        elif state.status == "missing":
            yield Finding("error", "tables", f"{state.name} is missing", "Run `manage.py ws_tables create`.")
        else:
            text = "; ".join(state.wrong) or f"its status is {state.status}"
            yield Finding(
                "error",
                "tables",
                f"{state.name}: {text}",
                "serverless_config/README.md describes how to apply changes.",
            )


def _clock(_deployment: Deployment) -> Iterator[Finding]:
    answer = aws.client("dynamodb").list_tables(Limit=1)
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    skew = clock.now() - theirs
    if abs(skew) > MAX_CLOCK_SKEW:
        yield Finding(
            "error", "clock", f"this machine's clock differs from AWS's by {skew:+.0f} s", "Synchronize it with NTP."
        )
    else:
        yield Finding("ok", "clock", f"this machine's clock is within {MAX_CLOCK_SKEW} s of AWS's")


def _secret(deployment: Deployment) -> Iterator[Finding]:
    for name, value in _secrets(deployment):
        if len(value) < 32 or value.startswith("django-insecure-"):
            yield Finding(
                "error", "secret", f"{name} is too short, or a placeholder", "Use at least 48 random characters."
            )
        else:
            yield Finding("ok", "secret", f"{name} is long enough")


def _secrets(deployment: Deployment) -> list[tuple[str, str]]:
    """The secrets in the function's environment, or those of the settings here if it holds none."""
    variables = deployment.configuration.get("Environment", {}).get("Variables", {})
    given = [(name, value) for name, value in variables.items() if name.endswith("SECRET") and value]
    given += [(name, value) for name, value in variables.items() if name.endswith("SECRET_KEY")]
    if given:
        return given
    return [("SECRET_KEY", settings.SECRET_KEY), *(("GATEWAY_SECRET", value) for value in gateway_secrets())]


def _timeout(deployment: Deployment) -> Iterator[Finding]:
    if (timeout := deployment.configuration.get("Timeout")) and timeout <= deadlines.MARGIN:
        text = f"the function may take {timeout} s, of which {deadlines.MARGIN:.0f} s are reserved for its end"
        yield Finding("error", "timeout", text, "No time is left to send messages. Set the timeout to 30 s or more.")


def _api(deployment: Deployment) -> Iterator[Finding]:
    if not deployment.api_id:
        yield Finding(
            "warning", "api", "no API is named", "Name the API with --api-id, or the function with --function."
        )
        return
    api = aws.client("apigatewayv2").get_api(ApiId=deployment.api_id)
    if api["ProtocolType"] != "WEBSOCKET":
        yield Finding(
            "error", "api", f"{deployment.api_id} is not a WebSocket API", "Use the id that `zappa status` shows."
        )
        return
    routes = {one["RouteKey"]: one for one in answers.items("get_routes", ApiId=deployment.api_id)}
    for key in dict.fromkeys((*FIXED_ROUTES, *conf.ROUTE_PATHS)):
        yield from _route(key, routes.get(key))
    stages = {one["StageName"]: one for one in answers.items("get_stages", ApiId=deployment.api_id)}
    if deployment.stage and deployment.stage not in stages:
        yield Finding(
            "error",
            "api",
            f"the stage {deployment.stage} does not exist",
            "Run `zappa update`, or `ws_gateway sync NAME --to-aws`.",
        )
    for name, stage in stages.items():
        yield from _stage(name, stage)


def _route(key: str, route: dict[str, Any] | None) -> Iterator[Finding]:
    if route is None or not route.get("Target"):
        advice = 'Add it to "websocket_api": {"routes": [...]}, then run `zappa update`.'
        yield Finding("error", "api", f"the route {key} is missing, or has no target", advice)
    elif key not in ONE_WAY and not route.get("RouteResponseSelectionExpression"):
        yield Finding("warning", "api", f"the route {key} has no route response, so answers do not reach the client")
    else:
        yield Finding("ok", "api", f"the route {key} exists")


def _stage(name: str, stage: dict[str, Any]) -> Iterator[Finding]:
    if not stage.get("DefaultRouteSettings", {}).get("ThrottlingRateLimit"):
        yield Finding(
            "warning",
            "api",
            f"the stage {name} has no throttling",
            'Set "websocket_api": {"throttling": ...}, then run `zappa update`.',
        )
    if not stage.get("AccessLogSettings", {}).get("DestinationArn"):
        advice = "Apply serverless_config/account.yaml once, then run `zappa update`."
        yield Finding("warning", "api", f"the stage {name} has no access log", advice)
    if not (stage.get("DeploymentId") or stage.get("AutoDeploy")):
        yield Finding("error", "api", f"the stage {name} was never deployed", "Run `ws_gateway sync NAME --to-aws`.")
    yield Finding("ok", "api", f"the stage {name} exists")


def _permission(deployment: Deployment) -> Iterator[Finding]:
    """Without the permission every connect fails with a 500, and the function's log shows nothing."""
    if not (deployment.function and deployment.api_id):
        return
    client = aws.client("lambda")
    for called in _called(deployment):
        try:
            text = client.get_policy(FunctionName=called)["Policy"]
        except client.exceptions.ResourceNotFoundException:
            text = '{"Statement": []}'
        if any(deployment.api_id in json.dumps(one.get("Condition", {})) for one in json.loads(text)["Statement"]):
            yield Finding("ok", "permission", f"{deployment.api_id} may invoke {called}")
        else:
            yield Finding("error", "permission", f"{deployment.api_id} may not invoke {called}", "Run `zappa update`.")


def _called(deployment: Deployment) -> list[str]:
    """What the API invokes: the function itself or, with SnapStart, an alias. An alias has its own policy."""
    uris = (one.get("IntegrationUri", "") for one in answers.items("get_integrations", ApiId=deployment.api_id))
    names = {found[1] for uri in uris if (found := re.search(r":function:([^/]+)/invocations", uri))}
    return sorted(name for name in names if name.partition(":")[0] == deployment.function) or [deployment.function]


def _policy(deployment: Deployment) -> Iterator[Finding]:
    if not deployment.configuration:
        return
    has = granted(deployment.configuration["Role"])
    wide = sorted(action for action in has if action.endswith(":*") or action == "*")
    if wide:
        advice = 'Set "attach_policy": "serverless_config/iam/function.json", then run `zappa update`.'
        yield Finding("warning", "policy", f"the role allows more than it needs: {', '.join(wide)}", advice)
    services = {action.partition(":")[0] for action in wide}
    lacking = sorted(
        one for one in REQUIRED if one not in has and one.partition(":")[0] not in services and "*" not in has
    )
    if lacking:
        advice = "Add the missing actions, which serverless_config/iam/function.json has, then run `zappa update`."
        yield Finding("error", "policy", f"the role does not allow {', '.join(lacking)}", advice)
    else:
        yield Finding("ok", "policy", "the role allows what the function needs")


def _queue(deployment: Deployment) -> Iterator[Finding]:
    if not deployment.queue_url:
        return
    wanted = ["VisibilityTimeout", "RedrivePolicy"]
    found = aws.client("sqs").get_queue_attributes(QueueUrl=deployment.queue_url, AttributeNames=wanted)["Attributes"]
    timeout = int(deployment.configuration.get("Timeout", 0))
    if int(found["VisibilityTimeout"]) < 6 * timeout:
        text = f"the visibility timeout is {found['VisibilityTimeout']} s, and the function may take {timeout} s"
        yield Finding(
            "error",
            "queue",
            text,
            "Set it to at least six times the function's timeout in serverless_config/queue.yaml, and apply that.",
        )
    elif "RedrivePolicy" not in found:
        yield Finding("warning", "queue", "the queue has no dead-letter queue", "Apply serverless_config/queue.yaml.")
    else:
        yield Finding("ok", "queue", "the visibility timeout is long enough, and there is a dead-letter queue")
    if deployment.function:
        mappings = aws.client("lambda").list_event_source_mappings(FunctionName=deployment.function)[
            "EventSourceMappings"
        ]
        if not any("ReportBatchItemFailures" in one.get("FunctionResponseTypes", []) for one in mappings):
            yield Finding(
                "error",
                "queue",
                "no event source mapping reports partial batch failures",
                "Run `zappa update` with the deploy hook.",
            )


def _url(deployment: Deployment) -> Iterator[Finding]:
    """Sends a plain GET. Any answer shows that the URL can be reached."""
    if not deployment.url:
        return
    parts = urlsplit(deployment.url)
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
        advice = "Check the DNS record and the certificate of the domain, and the network."
        yield Finding("error", "url", f"{parts.netloc} cannot be reached: {error}", advice)
    else:
        yield Finding("ok", "url", f"{parts.netloc} answers a plain GET with {status}")
