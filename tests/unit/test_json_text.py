"""Which numbers JSON allows."""

import math
from decimal import Decimal

import pytest

from ws_lambda import json_text

NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1.5E+999", "9" * 309, "-" + "1" * 5000]
NUMBERS = ["1e308", "-1.7976931348623157e308", "1e-400", "9" * 308, "0.1", "-0", "1" + "0" * 308]


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("form", ["{}", "[{}]", '{{"a": {{"b": [1, {}]}}}}'])
def test_numbers_beyond_a_double_are_not_json(text, form):
    with pytest.raises(ValueError):
        json_text.loads(form.format(text).encode())
    with pytest.raises(json_text.InvalidNumber):
        json_text.check(form.format(text).encode())


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_within_a_double_are_json(text):
    assert math.isfinite(json_text.loads(text.encode()))
    json_text.check(text.encode())


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e400", "7" * 400])
def test_a_string_may_say_anything(text):
    assert json_text.loads(f'"{text}"'.encode()) == text
    json_text.check(f'{{"a": "{text}"}}'.encode())
    assert json_text.dumps({"a": text}) == f'{{"a":"{text}"}}'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**309, -(10**400)])
def test_nor_is_it_written(value):
    with pytest.raises(ValueError):
        json_text.dumps({"a": [value]})


def test_a_decimal_is_written_as_a_string_whatever_it_is():
    assert json_text.dumps([Decimal("NaN"), Decimal("1E+400")]) == '["NaN","1E+400"]'


def test_text_that_is_not_json_is_left_to_the_parser():
    for text in (b"It says NaN", b"\xff NaN", b"[" * 100_000 + b"NaN"):
        json_text.check(text)
