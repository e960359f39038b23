"""Reads the body of a message: a JSON object, then validated by the handler's schema, if it has one."""

from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ws_lambda import json_text
from ws_lambda.exceptions import BodyTooLarge, InvalidRequest


def read_object(raw: bytes, max_size: int) -> dict[str, Any]:
    """Returns the JSON object in the body of a message.

    Raises:
        BodyTooLarge: the body has more than `max_size` bytes.
        InvalidRequest: it is not a JSON object in UTF-8, or contains a number too large for a double (`1e400`).
    """
    if len(raw) > max_size:
        raise BodyTooLarge()
    try:
        body = json_text.loads(raw)
    except (ValueError, RecursionError) as wrong:
        raise InvalidRequest() from wrong
    if not isinstance(body, dict):
        raise InvalidRequest()
    return body


def fit(schema: type, body: dict[str, Any]) -> Any:
    """Validates the body, and returns it as an instance of a pydantic model or a dataclass.

    A dataclass ignores unknown keys, because the body also contains `action` or `handler`. A pydantic model decides for
    itself. The fields of a dataclass may be JSON's own types, Any, list, dict, Literal and unions of these.

    Raises:
        InvalidRequest: the body is invalid, or the `__post_init__` of the dataclass raised ValueError. The message
            names the invalid fields but not their values.
    """
    if hasattr(schema, "model_validate"):
        return _fit_pydantic(schema, body)
    if not is_dataclass(schema):
        raise TypeError(f"A handler's schema is a pydantic model or a dataclass, not {schema!r}.")
    hints = get_type_hints(schema)
    wanted = {field.name: field for field in fields(schema) if field.init}
    wrong = [name for name in wanted if name in body and not _is_a(body[name], hints[name])]
    wrong += [
        name
        for name, field in wanted.items()
        if name not in body and field.default is MISSING and field.default_factory is MISSING
    ]
    if wrong:
        raise _misfit(wrong)
    try:
        return schema(**{name: body[name] for name in wanted if name in body})
    except ValueError as refused:
        raise InvalidRequest() from refused


def _fit_pydantic(schema: Any, body: dict[str, Any]) -> Any:
    try:
        fitted = schema.model_validate(body)
    except ValueError as wrong:  # pydantic's ValidationError is one
        errors = getattr(wrong, "errors", None)
        if errors is None:
            raise
        raise _misfit([".".join(map(str, one["loc"])) for one in errors()]) from None
    # Pydantic reads the strings "NaN" and "Infinity" as numbers.
    if wrong_numbers := [name for name, value in vars(fitted).items() if json_text.has_nonfinite(value)]:
        raise _misfit(wrong_numbers)
    return fitted


def _misfit(names: list[str]) -> InvalidRequest:
    return InvalidRequest(f"Invalid or missing: {', '.join(sorted(set(names)))}")


def _is_a(value: Any, wanted: Any) -> bool:
    """Whether a JSON value has the annotated type. A bool is not a number; an int is also a float."""
    origin = get_origin(wanted)
    if wanted is Any:
        return True
    if origin in (Union, UnionType):
        return any(_is_a(value, one) for one in get_args(wanted))
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(wanted))
    if origin is list:
        return isinstance(value, list) and all(_is_a(one, *get_args(wanted)) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_is_a(one, get_args(wanted)[1]) for one in value.values())
    if wanted is None or wanted is type(None):
        return value is None
    if wanted in (int, float):
        return isinstance(value, (int, wanted)) and not isinstance(value, bool)
    return isinstance(value, wanted)
