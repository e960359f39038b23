"""Encrypted secrets: only a project with the same SECRET_KEY can read them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_lambda.gatekeeping.encryption import decrypt, encrypt

KEY = "abcdefghijklmnopqrstuvwxyz012345"


@given(st.text(max_size=300))
def test_a_sealed_value_is_unsealed(text):
    assert decrypt(encrypt(text)) == text


def test_the_text_is_not_to_be_seen_and_no_two_seals_are_alike():
    seals = {encrypt(KEY) for _ in range(20)}
    assert len(seals) == 20
    for sealed in seals:
        assert KEY not in sealed
        assert KEY.encode() not in base64.urlsafe_b64decode(sealed)


def test_another_project_reads_nothing(settings):
    sealed = encrypt(KEY)
    settings.SECRET_KEY = "another"
    assert decrypt(sealed) is None
    settings.SECRET_KEY_FALLBACKS = ["older", "only-for-tests-and-never-a-secret"]
    assert decrypt(sealed) == KEY, "while the secret is being rotated"


@pytest.mark.parametrize("position", [0, 20, 40])
def test_a_changed_byte_is_noticed(position):
    raw = bytearray(base64.urlsafe_b64decode(encrypt(KEY)))
    raw[position] ^= 1
    assert decrypt(base64.urlsafe_b64encode(raw).decode()) is None


@pytest.mark.parametrize("damaged", ["", "x", "ä", "===", "A" * 43])
def test_an_invalid_seal_is_none(damaged):
    assert decrypt(damaged) is None
