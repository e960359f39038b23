"""What is left for Zappa's own handler, where Zappa is in the package: its commands, event sources and triggers.

`zappa invoke` and `@task` come as direct invocations with a `command`, and may run any function: the right to invoke
the function is the right to run anything in it. What other people write, an SNS message or an S3 notification, runs
only functions that the deployment has named.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from ws_lambda.exceptions import EventError

KEYS: Final = frozenset({"command", "Records", "bot", "triggerSource", "awslogs"})
"""Keys by which Zappa's handler tells its events apart; beside them an authorizer of type TOKEN."""

SNS_TASK: Final = "zappa.asynchronous.route_sns_task"
"""What `@task_sns` has an SNS message ask for. The function proper is the message's `task_path`."""


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event is one of Zappa's, and Zappa is installed."""
    return (not KEYS.isdisjoint(event) or event.get("type") == "TOKEN") and find_spec("zappa") is not None


def answer(event: dict[str, Any], context: Any) -> Any:
    """Hands the event to Zappa's handler.

    Raises:
        PermissionError: the event asks for a function that the deployment has not named.
        EventError: the deployment has named no function for records of this source.
    """
    return _handler().lambda_handler(event, context)


@cache
def _handler() -> Any:
    """Zappa's handler module, with the two steps replaced that trust an event too far."""
    from zappa import handler

    from ws_lambda.sources import named_functions

    handler.LambdaHandler.run_function = staticmethod(named_functions.call_once)
    handler.LambdaHandler.get_function_for_aws_event = _functions_for
    return handler


def _functions_for(zappa_handler: Any, record: dict[str, Any]) -> list[str]:
    """The functions to run for a record: the one that it asks for, or those that the deployment has for its source.

    In place of Zappa's own method, which runs whatever a record asks for.
    """
    from ws_lambda.sources import named_functions

    asked, proper = _asked_for(record)
    if asked:
        named_functions.demand(proper)
        return [asked]
    source = _source(record)
    found = zappa_handler.settings.AWS_EVENT_MAPPING.get(source) or []
    if not found:
        raise EventError(f"No function is named for the records of {source or 'an unknown source'}.")
    return [found] if isinstance(found, str) else list(found)


def _asked_for(record: Mapping[str, Any]) -> tuple[str, str]:
    """The function that Zappa would run at the record's own request, and the one that this comes down to; or ""."""
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
    """The ARN of the topic, bucket, queue or stream that a record is from."""
    if "Sns" in record:
        return str(record["Sns"].get("TopicArn", ""))
    if "s3" in record:
        return str(record["s3"].get("bucket", {}).get("arn", ""))
    return str(record.get("eventSourceARN", ""))
