"""Converts between a gateway's record and API Gateway, as the table of fields describes."""

from collections.abc import Iterator, Mapping
from typing import Any

from ws_lambda.provisioning import gateway_fields
from ws_lambda.provisioning.record_field import Area, RecordField
from ws_lambda.tables.gateways import ApiGateway


def arguments(record: ApiGateway, area: Area) -> dict[str, Any]:
    """The values of a record in an area, as the Create and Update operations of API Gateway take them.

    An empty text is sent, since that is how API Gateway clears one. A nested one is left out: API Gateway refuses
    a block of settings that is half empty.
    """
    said: dict[str, Any] = {}
    for field in _transferred(area):
        value = field.to_aws(getattr(record, field.name))
        *blocks, last = field.aws_name.split(".")
        if value is None or (blocks and value == ""):
            continue
        place = said
        for block in blocks:
            place = place.setdefault(block, {})
        place[last] = field.kind(value)
    return said


def values(answer: Mapping[str, Any], area: Area) -> dict[str, Any]:
    """The attributes of a record, read from an answer of API Gateway about an area."""
    return {field.name: field.from_text(field.as_text(field.look_up(answer))) for field in _transferred(area)}


def facts(answer: Mapping[str, Any], area: Area) -> dict[str, str]:
    """The facts of an area, from an answer of API Gateway or from `arguments`, so that the two can be compared."""
    return {f"{area}.{field.fact}": field.as_text(field.look_up(answer)) for field in _transferred(area)}


def answered(answer: Mapping[str, Any], area: Area) -> dict[str, Any]:
    """The attributes to store from an answer of API Gateway: the ids and addresses that it assigned."""
    given = (field for field in gateway_fields.FIELDS if field.answered and field.area == area and field.aws_name)
    return {field.name: answer[field.aws_name] for field in given if field.aws_name in answer}


def pulled(area: str, fact: str) -> RecordField | None:
    """The field that holds a fact of AWS; None if other code reads the fact, or if no record can hold it."""
    fields = (field for field in gateway_fields.FIELDS if field.is_pulled and field.fact)
    return next((field for field in fields if (field.area, field.fact) == (area, fact)), None)


def nested_names(block: str) -> set[str]:
    """The names in a block of settings that a record can hold."""
    return {
        field.aws_name.removeprefix(f"{block}.")
        for field in gateway_fields.FIELDS
        if field.aws_name.startswith(f"{block}.")
    }


def _transferred(area: Area) -> Iterator[RecordField]:
    return (field for field in gateway_fields.FIELDS if field.area == area and field.aws_name and not field.answered)
