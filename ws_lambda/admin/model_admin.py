"""`ModelAdmin` for DynamoDB: Django's own views and templates, without the parts that use SQL."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.contrib.admin.options import csrf_protect_m
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import ERROR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from ws_lambda import delivery
from ws_lambda.admin import log
from ws_lambda.admin.changelist import PagedChangeList
from ws_lambda.admin.row_set import MAX_KEY_BYTES, PAGE_SIZE, RowSet, RowSource
from ws_lambda.admin.typed import ModelAdmin
from ws_lambda.exceptions import WsLambdaError
from ws_lambda.provisioning import aws_errors

ANSWER_SECONDS = 20.0
"""How long a page may work on connections. API Gateway ends a request after 29 seconds.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""


class DynamoDBAdmin(ModelAdmin):
    """The admin of one table. A subclass sets its `source`, and may forbid adding, changing or deleting rows."""

    source: ClassVar[RowSource]
    list_per_page = PAGE_SIZE
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by = ()
    change_list_template = "admin/ws_lambda/change_list.html"

    # Reading

    def get_queryset(self, request: HttpRequest) -> Any:
        return RowSet(self.source)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if len(object_id.encode()) > MAX_KEY_BYTES:
            return None
        return next(iter(self.source.many([object_id])), None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PagedChangeList]:
        return PagedChangeList

    # Writing

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.source.save(obj, change=change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        key = obj.pk
        self.source.delete(obj)
        obj.pk = key
        self._write_log(request, [obj], DELETION)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for one in queryset:
            self.delete_model(request, one)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The rows to delete. Nothing depends on a row; the admin of gateways adds what is deleted in AWS."""
        listed = [str(one) for one in objs]
        missing = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return listed, {str(self.opts.verbose_name_plural): len(listed)}, missing, []

    # The views. Django runs those that write in a transaction of the SQL database, which may not exist

    @csrf_protect_m  # type: ignore[untyped-decorator]
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        return self._told(request, lambda: self._changeform_view(request, object_id, form_url, extra_context))  # type: ignore[attr-defined]

    @csrf_protect_m  # type: ignore[untyped-decorator]
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return self._told(request, lambda: self._delete_view(request, object_id, extra_context))  # type: ignore[attr-defined]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return self._told(request, lambda: super(DynamoDBAdmin, self).changelist_view(request, extra_context))

    def _told(self, request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
        """Runs a view, with a deadline for work on connections. Shows our errors and those of AWS as a message."""
        try:
            with delivery.deadline(ANSWER_SECONDS):
                return act()
        except (WsLambdaError, ValidationError, *aws_errors.ERRORS) as error:
            if request.method != "POST":
                raise
            self.message_user(request, _in_words(error), ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if not log.kept_in_sql():
            # Django looks up the content type for a link that these pages do not have.
            ContentType.objects.clear_cache()
            named = ContentType(app_label=self.opts.app_label, model=self.opts.model_name or "")
            ContentType.objects._add_to_cache(DEFAULT_DB_ALIAS, named)  # type: ignore[attr-defined]
        return super().render_change_form(request, context, *args, **kwargs)

    # The log

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._write_log(request, [obj], ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._write_log(request, [obj], CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Logs nothing yet: Django calls this before the deletion, which AWS may refuse."""

    def _write_log(self, request: HttpRequest, objects: Sequence[Any], flag: int, message: Any = "") -> None:
        if not log.kept_in_sql():
            log.write(request.user, objects, flag, message)
        elif flag == ADDITION:
            super().log_addition(request, objects[0], message)
        elif flag == CHANGE:
            super().log_change(request, objects[0], message)
        else:
            super().log_deletions(request, objects)  # type: ignore[arg-type]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        if log.kept_in_sql():
            return super().history_view(request, object_id, extra_context)
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        entries: Any = log.history(self.model, unquote(object_id))
        page = self.get_paginator(request, entries, 100).get_page(request.GET.get("p", 1))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change history: {obj}",
            "action_list": page,
            "page_range": page.paginator.get_elided_page_range(page.number),
            "page_var": "p",
            "pagination_required": page.paginator.num_pages > 1,
            "module_name": capfirst(str(self.opts.verbose_name_plural)),
            "object": obj,
            "opts": self.opts,
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/object_history.html", context)


class ReadOnlyAdmin(DynamoDBAdmin):
    """Rows that people can view, and change only with actions."""

    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Shows the row. A POST is refused."""
        if request.method == "POST":
            raise PermissionDenied
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.opts.concrete_fields]


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return aws_errors.explained(error) if isinstance(error, aws_errors.ERRORS) else str(error)
