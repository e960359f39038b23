"""Folding of names, over all of Unicode."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_lambda.users.names import fold, is_possible


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Red", "red"),
        ("RED", "red"),
        ("\uff52\uff45\uff44", "red"),
        ("Straße", "strasse"),
        ("ﬀ", "ff"),
        ("ΜΈΓΑΣ", "μέγασ"),
        ("Ame\u0301lie", "amélie"),
        ("red@example.com", "red@example.com"),
    ],
)
def test_look_alikes_fold_to_one_name(typed: str, stored: str) -> None:
    assert fold(typed) == stored


def test_folding_again_changes_nothing_for_any_character() -> None:
    changed = []
    for code in range(sys.maxunicode + 1):
        folded = fold(chr(code))
        if folded != chr(code) and fold(folded) != folded:
            changed.append(hex(code))
    assert changed == []


@given(st.text(max_size=20))
def test_folding_again_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("name", "possible"), [("", False), ("a", True), ("é" * 150, True), ("a" * 151, False), ("\ud800", False)]
)
def test_what_can_be_a_name(name: str, possible: bool) -> None:
    assert is_possible(name) is possible
