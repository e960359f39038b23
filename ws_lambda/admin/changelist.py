"""A change list that pages with continuation keys, because DynamoDB has no totals and no page numbers."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from pynamodb.exceptions import PynamoDBException

from ws_lambda.admin.row_set import MAX_KEY_BYTES, Asked, Page, RowSource

CURSOR_VAR = "after"


class TextFilter(SimpleListFilter):
    """A filter with a text input. To offer the values to choose from, DynamoDB would have to read the whole table."""

    template = "admin/ws_lambda/text_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """There are no values to choose from."""
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Any:
        """The other parameters of the page, which the template keeps, and the link that removes the filter."""
        others = {k: v for k, v in changelist.get_filters_params().items() if k != self.parameter_name}
        yield {
            "kept": [(name, value) for name, values in others.items() for value in values],
            "remove": changelist.get_query_string(remove=[self.parameter_name]),
        }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Returns all rows: the row source applies the filter."""
        return queryset


class ChoiceFilter(SimpleListFilter):
    """A filter with a few values. The first one is the default."""

    options: tuple[tuple[str, str], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return self.options

    def choices(self, changelist: Any) -> Any:
        chosen = self.value() or self.options[0][0]
        for value, title in self.options:
            yield {
                "selected": value == chosen,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Returns all rows: the row source applies the filter."""
        return queryset


class PagedChangeList(ChangeList):
    """Django's change list over a `RowSource`."""

    page: Page

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        kept: dict[str, Any] = super().get_filters_params(params)
        kept.pop(CURSOR_VAR, None)
        return kept

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """The query string. A change of filters goes back to the first page."""
        cursor = (new_params or {}).get(CURSOR_VAR)
        new_params = {**(new_params or {}), CURSOR_VAR: cursor}
        return super().get_query_string(new_params, remove)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Collects the filters and the search text. Reads nothing yet."""
        found: Any = self.get_filters(request)
        specs, self.has_filters, remaining, _duplicates, self.has_active_filters = found
        if remaining:
            raise IncorrectLookupParameters(f"unknown: {', '.join(remaining)}")
        self.filter_specs = specs
        chosen = {spec.parameter_name: spec.value() for spec in specs if spec.value()}
        search = self.query.strip()
        if any(len(value.encode()) > MAX_KEY_BYTES for value in (search, *chosen.values())):
            raise IncorrectLookupParameters("longer than any key")
        self.asked = Asked(
            filters=chosen, search=search, cursor=request.GET.get(CURSOR_VAR, ""), size=self.list_per_page
        )
        self.clear_all_filters_qs = self.get_query_string(remove=list(chosen)) if chosen else ""
        return self.root_queryset

    def get_results(self, request: HttpRequest) -> None:
        """Reads one page."""
        rows: Any = self.queryset
        source: RowSource = rows.source
        try:
            self.page = source.page(self.asked)
        except PynamoDBException as error:
            if not self.asked.cursor:
                raise
            raise IncorrectLookupParameters(str(error)) from error
        listed: Any = list(self.page.rows)
        self.result_list = listed
        self.result_count = len(self.page.rows)
        self.show_full_result_count = False
        self.show_admin_actions = bool(self.result_count)
        self.full_result_count = self.result_count
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, listed, self.list_per_page)
        self.next_page = self.get_query_string({CURSOR_VAR: self.page.cursor}) if self.page.cursor else ""
        self.first_page = self.get_query_string() if self.asked.cursor else ""
