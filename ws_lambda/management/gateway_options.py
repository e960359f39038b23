"""The options of `ws_gateway` that say what a gateway is to be: one for each field of the record."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from ws_lambda.tables.gateways import ApiGateway

OPTIONS: dict[str, tuple[str, str]] = {
    "api_description": ("--description", "what the API is for"),
    "lambda_function_arn": ("--function", "ARN of the Lambda function that answers (Lambda proxy)"),
    "target_base_endpoint": (
        "--target-base-endpoint",
        "public https URL that connect, disconnect and default are appended to (HTTP proxy), "
        "such as https://www.example.com/ws/",
    ),
    "default_channel_name": ("--default-channel", "the channel of clients that name none"),
    "route_selection_expression": (
        "--route-selection-expression",
        "the field of a message that selects its route ($request.body.action)",
    ),
    "api_key_selection_expression": ("--api-key-selection-expression", "where an API key is read from"),
    "route_key": ("--route-key", "the route of messages that select no other ($default)"),
    "stage_name": ("--stage", "the stage's name (production)"),
    "stage_description": ("--stage-description", "what the stage is for"),
    "access_log_arn": ("--access-log", "ARN of the log group or Firehose stream of the access log"),
    "domain_name": ("--domain", "custom domain, such as ws.example.com"),
    "certificate_arn": ("--certificate", "ARN of the domain's ACM certificate, in the API's region"),
    "hosted_zone_id": ("--hosted-zone", "id of the Route 53 zone that gets the alias"),
}
"""Field of the record → its option and what it means."""


def add_to(parser: ArgumentParser) -> None:
    """Adds the options to a subcommand."""
    for field, (option, meaning) in OPTIONS.items():
        parser.add_argument(option, dest=field, help=meaning)
    parser.add_argument("--throttling-rate", type=float, help="requests per second that the stage lets through")
    parser.add_argument("--throttling-burst", type=int, help="requests at once that the stage lets through")
    parser.add_argument("--tag", action="append", type=_tag, dest="tags", metavar="KEY=VALUE", help="may be repeated")


def add_removals_to(parser: ArgumentParser) -> None:
    """Adds the options that take something off a record. A text is taken off by giving "" for it."""
    parser.add_argument("--no-throttling", action="store_true", help="let the account's quota be the only limit")
    parser.add_argument("--untag", action="append", default=[], metavar="KEY", help="may be repeated")


def remove(record: ApiGateway, options: dict[str, Any]) -> None:
    """Takes off what the command line says."""
    if options["no_throttling"]:
        record.throttling_rate = record.throttling_burst = None
    record.tags = {key: value for key, value in record.tags.items() if key not in options["untag"]}


def _tag(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that the command line names."""
    names = (*OPTIONS, "throttling_rate", "throttling_burst", "tags")
    return {name: options[name] for name in names if options.get(name) is not None}


def apply(record: ApiGateway, fields: dict[str, Any]) -> None:
    """Writes fields into a record. A target endpoint makes it an HTTP proxy, a function a Lambda proxy."""
    for name, value in fields.items():
        setattr(record, name, {**record.tags, **dict(value)} if name == "tags" else value)
    if "target_base_endpoint" in fields:
        record.integration = "http"
    elif "lambda_function_arn" in fields:
        record.integration = "lambda"


def described(record: ApiGateway) -> dict[str, Any]:
    """Everything there is to say about a gateway. It holds no secret."""
    fields = {
        name: getattr(record, name)
        for name in ApiGateway.get_attributes()
        if name not in ("additional_routes", "lease_owner", "lease_until", "version")
    }
    return {
        **fields,
        "additional_routes": [
            {"name": route.name, "route_key": route.route_key, "target": route.target}
            for route in record.additional_routes
        ],
        "websocket_url": record.websocket_url,
        "endpoint_url": record.endpoint_url,
    }
