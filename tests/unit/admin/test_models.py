"""The admin models describe rows to Django, and never reach a database by themselves."""

from collections.abc import Callable

import pytest

from ws_lambda.admin import models as admin_models
from ws_lambda.models import WebSocketSession


@pytest.mark.parametrize(
    "ask",
    [
        lambda: admin_models.WebSocketSession.objects.all(),
        lambda: admin_models.WebSocketSession._default_manager.get(pk="C1="),
        lambda: admin_models.WebSocketSession(pk="C1=").save(),
        lambda: admin_models.WebSocketSession(pk="C1=").delete(),
    ],
)
def test_sql_is_never_asked(ask: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="DynamoDB"):
        ask()


def test_a_row_has_what_its_item_has() -> None:
    item = WebSocketSession("C1=", user_id="7", channel_name="general")
    row = admin_models.WebSocketSession.of(item, all_channels=["general"])
    assert (row.pk, row.user_id, row.all_channels, row.item) == ("C1=", "7", ["general"], item)
    assert not row._state.adding
