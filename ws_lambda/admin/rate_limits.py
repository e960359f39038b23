"""Rate-limit counters: pages to view them."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from pynamodb.expressions.condition import Condition

from ws_lambda.admin import models as admin_models
from ws_lambda.admin.changelist import TextFilter
from ws_lambda.admin.model_admin import ReadOnlyAdmin
from ws_lambda.admin.row_set import Asked, Page, RowSource, read_pages
from ws_lambda.tables.rate_limits import RateLimit


class Counters(RowSource):
    """Reads a page with one request: a query if the scope is given, otherwise part of a scan."""

    model = admin_models.RateLimit

    def page(self, asked: Asked) -> Page:
        size, after = asked.size, asked.after
        # The table also holds the position of housekeeping and the open connections of users.
        counts: Condition = RateLimit.hits.exists()
        if scope := asked.filters.get("scope"):
            results = RateLimit.query(
                scope, filter_condition=counts, scan_index_forward=False, page_size=size, last_evaluated_key=after
            )
        else:
            results = RateLimit.scan(counts, page_size=size, last_evaluated_key=after)
        items, cursor = read_pages(results, size, requests=1)
        return Page(rows=[_row(RateLimit.from_raw_data(item)) for item in items], cursor=asked.cursor_of(cursor))

    def many(self, keys: Sequence[str]) -> list[Any]:
        pairs = [tuple(key.rsplit("|", 1)) for key in keys if "|" in key]
        return [_row(row) for row in RateLimit.batch_get(pairs)]


def _row(row: RateLimit) -> admin_models.RateLimit:
    return admin_models.RateLimit.of(row, key=f"{row.scope}|{row.window}")


class ScopeFilter(TextFilter):
    title = "scope"
    parameter_name = "scope"


class RateLimitAdmin(ReadOnlyAdmin):
    """How often an address, a user or a connection did something in a minute."""

    source = Counters()
    list_display = ("scope", "window", "hits", "expires_at")
    list_filter = (ScopeFilter,)
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
