"""Quotas as the command line gives them."""

from dataclasses import fields

import pytest

from tests.local_site import ROOT
from ws_lambda.local.quotas import Quotas, parse


def test_docs_name_every_quota_with_its_figure():
    page = (ROOT / "docs" / "local.md").read_text()
    assert [one.name for one in fields(Quotas) if f"`{one.name}` ({one.default})" not in page] == []


def test_what_the_command_line_says():
    assert parse(["idle_timeout=0.5", "concurrency=2"]) == Quotas(idle_timeout=0.5, concurrency=2)
    assert parse([]) == Quotas()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("nonsense=1", "There is no quota 'nonsense'"),
        ("concurrency=many", "needs a number, not 'many'"),
        ("concurrency", "needs a number"),
        ("concurrency=-1", "0 or more"),
        ("idle_timeout=nan", "0 or more"),
    ],
)
def test_what_it_cannot_say(setting, said):
    with pytest.raises(ValueError, match=said):
        parse([setting])
