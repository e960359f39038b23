"""The table of fields, held equal to the row that stores them and to everything that derives from it."""

import io
from argparse import ArgumentParser
from typing import Any

import pytest
from django.contrib.admin.utils import flatten_fieldsets
from pynamodb import attributes

from ws_lambda.admin import gateway_forms
from ws_lambda.admin import models as admin_models
from ws_lambda.management import gateway_options
from ws_lambda.provisioning import gateway_fields
from ws_lambda.provisioning.gateway_fields import FIELDS
from ws_lambda.provisioning.record_field import RecordField
from ws_lambda.tables.gateways import ApiGateway

BOOKKEEPING = {"lease_owner", "lease_until", "version"}
"""What the row has for itself: nobody types, shows or transfers it."""

STORED = {
    str: attributes.UnicodeAttribute,
    float: attributes.NumberAttribute,
    int: attributes.NumberAttribute,
    bool: attributes.BooleanAttribute,
    dict: attributes.JSONAttribute,
    list: attributes.ListAttribute,
}

by_name = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)


def test_the_table_has_every_attribute_of_the_row() -> None:
    names = [field.name for field in FIELDS]
    assert len(names) == len(set(names))
    unlisted = set(ApiGateway.get_attributes()) - {*names, *BOOKKEEPING}
    assert not unlisted, f"Add {unlisted} to FIELDS in ws_lambda/provisioning/gateway_fields.py."
    assert {*names, *BOOKKEEPING} == set(ApiGateway.get_attributes())


def test_a_field_without_an_attribute_is_one_clear_error() -> None:
    new = RecordField(name="colour", label="colour")
    with pytest.raises(TypeError, match=r"FIELDS has colour: add the attribute .* in ws_lambda/tables/gateways\.py"):
        gateway_fields.demand_attributes((*FIELDS, new))


@by_name
def test_the_row_stores_a_field_as_the_table_says(field: RecordField) -> None:
    attribute = ApiGateway.get_attributes()[field.name]
    assert isinstance(attribute, STORED.get(field.kind, attributes.UTCDateTimeAttribute))
    if field.name not in ("api_name", "created_at"):
        assert getattr(ApiGateway(), field.name) == field.default
        assert attribute.null == (field.default is None)


@by_name
def test_people_find_every_field(field: RecordField) -> None:
    """In the form where it has a section there, as an option unless AWS answers it, and among the facts."""
    shown = flatten_fieldsets(gateway_forms.fieldsets(with_answers=True))
    assert (field.name in shown) == (field.section is not None)
    if field.section is not None:
        column = admin_models.ApiGateway._meta.get_field(field.name)
        assert (column.verbose_name, column.help_text) == (field.label, field.help)
    positional, derived, own_command = {"api_name"}, {"integration"}, {"additional_routes"}
    has_none = field.answered or field.name in positional | derived | own_command
    assert bool(field.option) != has_none
    assert field.name in gateway_options.described(ApiGateway(api_name="chat"))
    assert field.label and (field.help or has_none)


def test_every_option_sets_its_field() -> None:
    parser = ArgumentParser()
    gateway_options.add_to(parser)
    with_option = [field for field in FIELDS if field.option]
    typed = {field.option: _example(field) for field in with_option}
    said = vars(parser.parse_args([word for pair in typed.items() for word in pair]))
    given = gateway_options.given(said)
    assert list(given) == [field.name for field in with_option]
    assert gateway_options.given(vars(parser.parse_args([]))) == {}
    record = ApiGateway(api_name="chat")
    gateway_options.apply(record, given)
    for field in with_option:
        assert getattr(record, field.name) == ({"a": "b"} if field.kind is dict else field.kind(_example(field)))
    for field in with_option:
        if field.is_number:
            assert gateway_options.given(vars(parser.parse_args([field.option, ""]))) == {field.name: None}
    help_text = io.StringIO()
    parser.print_help(help_text)
    squeezed = "".join(help_text.getvalue().split())
    assert [f.name for f in with_option if "".join(f.help.split()) not in squeezed] == []


def _example(field: RecordField) -> str:
    return {dict: "a=b", float: "2.5", int: "3"}.get(field.kind, f"some {field.name}")


def test_every_fact_is_told_once() -> None:
    facts = [(field.area, field.fact) for field in FIELDS if field.fact]
    assert len(facts) == len(set(facts))
    assert all(field.aws_name for field in FIELDS if field.fact)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("throttling_rate", 0.5, "0.5"),
        ("throttling_rate", 1234567.0, "1234567"),
        ("throttling_burst", 100, "100"),
        ("throttling_burst", None, ""),
        ("stage_description", "", ""),
    ],
)
def test_a_value_becomes_a_fact_and_back(name: str, value: Any, text: str) -> None:
    [field] = [field for field in gateway_fields.FIELDS if field.name == name]
    assert field.as_text(value) == text
    assert field.from_text(text) == value
