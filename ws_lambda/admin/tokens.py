"""Unused WebSocket tokens: pages to view them. Only hashes are stored, and no page shows a whole hash."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import display
from django.http import HttpRequest
from pynamodb.expressions.condition import Condition

from ws_lambda.admin import models as admin_models
from ws_lambda.admin.model_admin import ReadOnlyAdmin
from ws_lambda.admin.row_set import Asked, Page, RowSource, read_pages
from ws_lambda.models.tokens import WebSocketToken


class Tokens(RowSource):
    """Reads a page as part of a scan, without the marks of ended logins that are in the same table."""

    model = admin_models.WebSocketToken

    def page(self, asked: Asked) -> Page:
        is_token: Condition = WebSocketToken.user_id.exists()
        after = asked.after
        results = WebSocketToken.scan(is_token, page_size=asked.size, last_evaluated_key=after)
        items, cursor = read_pages(results, asked.size)
        return Page(rows=[_row(WebSocketToken.from_raw_data(item)) for item in items], cursor=asked.cursor_of(cursor))

    def many(self, keys: Sequence[str]) -> list[Any]:
        return [_row(row) for row in WebSocketToken.batch_get(list(keys)) if row.user_id]


def _row(row: WebSocketToken) -> admin_models.WebSocketToken:
    return admin_models.WebSocketToken.of(row, channel=row.channel or "")


class WebSocketTokenAdmin(ReadOnlyAdmin):
    """The users of the unused tokens, and when the tokens expire."""

    source = Tokens()
    list_display = ("hash_begins", "user_id", "channel", "expires_at")
    actions = None

    @display(description="hash begins")
    def hash_begins(self, obj: admin_models.WebSocketToken) -> str:
        """Enough of the hash to tell two tokens apart."""
        return obj.token_hash[:8]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("hash_begins", "user_id", "channel", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.get_fields(request, obj))
