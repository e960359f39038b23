"""The options of `ws_gateway` that set the fields of a gateway's record, made from the table of fields."""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from functools import partial
from typing import Any

from ws_lambda.provisioning import gateway_fields
from ws_lambda.provisioning.record_field import RecordField
from ws_lambda.tables.gateways import ApiGateway


def add_to(parser: ArgumentParser, *names: str) -> None:
    """Adds the options of these fields, or of all, to a subcommand.

    An option that is not given is absent from the parsed arguments.
    """
    how: dict[str, Any]
    for field in _with_option():
        if names and field.name not in names:
            continue
        if field.kind is dict:
            said = f"{field.help} May be repeated."
            how = {"action": "append", "type": _pair, "metavar": "KEY=VALUE"}
        else:
            said = f"{field.help} Default: {field.default}." if field.default else field.help
            how = {"type": _reader(field)}
        parser.add_argument(field.option, dest=field.name, default=SUPPRESS, help=said, **how)


def add_removals_to(parser: ArgumentParser) -> None:
    """Adds the options that remove something. A text or a number is removed by giving "" for it."""
    parser.add_argument(
        "--no-throttling", action="store_true", help="Removes both limits. Only the account's quota then applies."
    )
    parser.add_argument("--untag", action="append", default=[], metavar="KEY", help="Removes a tag. May be repeated.")


def remove(record: ApiGateway, options: dict[str, Any]) -> None:
    """Removes what the command line names."""
    if options["no_throttling"]:
        record.throttling_rate = record.throttling_burst = None
    record.tags = {key: value for key, value in record.tags.items() if key not in options["untag"]}


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that the command line names."""
    return {field.name: options[field.name] for field in _with_option() if field.name in options}


def apply(record: ApiGateway, fields: dict[str, Any]) -> None:
    """Writes fields into a record. A target endpoint makes it an HTTP proxy, and a function makes it a Lambda proxy."""
    for name, value in fields.items():
        setattr(record, name, {**record.tags, **dict(value)} if name == "tags" else value)
    if "target_base_endpoint" in fields:
        record.integration = "http"
    elif "lambda_function_arn" in fields:
        record.integration = "lambda"


def described(record: ApiGateway) -> dict[str, Any]:
    """All fields of a gateway and its addresses. None of them is secret."""
    fields = {field.name: getattr(record, field.name) for field in gateway_fields.FIELDS}
    routes = [
        {"name": route.name, "route_key": route.route_key, "target": route.target} for route in record.additional_routes
    ]
    return {
        **fields,
        "additional_routes": routes,
        "websocket_url": record.websocket_url,
        "endpoint_url": record.endpoint_url,
    }


def _with_option() -> list[RecordField]:
    return [field for field in gateway_fields.FIELDS if field.option]


def _reader(field: RecordField) -> Callable[[str], Any]:
    return partial(_number, field.kind) if field.is_number else str


def _number(kind: type[int] | type[float], text: str) -> float | None:
    try:
        return kind(text) if text else None
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a number") from error


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value
