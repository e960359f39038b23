"""Zappa's own events, if Zappa is in the package: its commands, event sources and triggers.

`zappa invoke` and `@task` are direct invocations with a `command`. They may run any function: the right to invoke the
Lambda function is the right to run anything in it. SNS messages and S3 notifications, which other people may write, run
only functions that the deployment has named.
"""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

from ws_lambda.exceptions import EventError
from ws_lambda.sources import packed_settings

KEYS: Final = frozenset({"command", "Records", "bot", "triggerSource", "awslogs"})
"""Top-level keys that Zappa's handler recognises events by. It also answers authorizer events of type TOKEN."""

SNS_TASK: Final = "zappa.asynchronous.route_sns_task"
"""The command in the SNS messages of `@task_sns`. It runs the function that the message's `task_path` names."""


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event is one of Zappa's, and Zappa has packed the function."""
    if KEYS.isdisjoint(event) and event.get("type") != "TOKEN":
        return False
    return find_spec("zappa") is not None and packed_settings.module() is not None


def answer(event: dict[str, Any], context: Any) -> Any:
    """Passes the event to Zappa's handler.

    Raises:
        PermissionError: the event asks for a function that the deployment has not named.
        EventError: the deployment has no function for the source of the records.
    """
    return _handler().lambda_handler(event, context)


def _handler() -> Any:
    """Zappa's handler module. The two methods that trust an event too much are replaced."""
    from zappa import handler

    from ws_lambda.sources import named_functions

    handler.LambdaHandler.run_function = staticmethod(named_functions.call_once)
    handler.LambdaHandler.get_function_for_aws_event = _functions_for
    return handler


def _functions_for(zappa_handler: Any, record: dict[str, Any]) -> list[str]:
    """Returns the functions to run for a record: the one that it asks for, or those of its source.

    It replaces Zappa's own method, which runs any function that a record asks for.
    """
    from ws_lambda.sources import named_functions

    command, function = _asked_for(record)
    if command:
        named_functions.demand(function)
        return [command]
    source = _source(record)
    found = zappa_handler.settings.AWS_EVENT_MAPPING.get(source) or []
    if not found:
        raise EventError(f"The deployment has no function for records from {source or 'an unknown source'}.")
    return [found] if isinstance(found, str) else list(found)


def _asked_for(record: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the command that a record asks Zappa to run and the function that the command ends up running, or ""."""
    if "s3" in record:
        _, separator, name = str(record["s3"].get("configurationId", "")).rpartition(":")
        return (name, name) if separator else ("", "")
    if "Sns" not in record:
        return "", ""
    try:
        message = json.loads(record["Sns"]["Message"])
    except ValueError:
        return "", ""
    command = str(message.get("command") or "") if isinstance(message, dict) else ""
    return command, str(message.get("task_path", "")) if command == SNS_TASK else command


def _source(record: Mapping[str, Any]) -> str:
    """Returns the ARN of the topic, bucket, queue or stream that a record comes from."""
    if "Sns" in record:
        return str(record["Sns"].get("TopicArn", ""))
    if "s3" in record:
        return str(record["s3"].get("bucket", {}).get("arn", ""))
    return str(record.get("eventSourceARN", ""))
