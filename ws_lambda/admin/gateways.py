"""API gateways: pages that edit the records, and actions that create and change the gateways in AWS."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import action, display
from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from ws_lambda.admin import gateway_forms
from ws_lambda.admin import models as admin_models
from ws_lambda.admin.model_admin import DynamoDBAdmin
from ws_lambda.admin.route_inline import RouteInline
from ws_lambda.admin.row_set import Asked, Page, RowSource, read_pages
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import create, lease, rules, sync, update
from ws_lambda.provisioning.create import Progress, Step
from ws_lambda.tables.gateways import ApiGateway, Status


class Gateways(RowSource):
    """Reads a page with one request: an account has few gateways."""

    model = admin_models.ApiGateway

    def page(self, asked: Asked) -> Page:
        if asked.search:
            return Page(rows=self.many([asked.search]))
        results = ApiGateway.scan(page_size=asked.size, last_evaluated_key=asked.after, consistent_read=True)
        items, cursor = read_pages(results, asked.size, requests=1)
        rows = [admin_models.ApiGateway.of(ApiGateway.from_raw_data(item)) for item in items]
        return Page(rows=sorted(rows, key=str), cursor=asked.cursor_of(cursor))

    def many(self, keys: Sequence[str]) -> list[Any]:
        rows = ApiGateway.batch_get(list(keys), consistent_read=True)
        return sorted((admin_models.ApiGateway.of(row) for row in rows), key=str)

    def delete(self, row: Any) -> None:
        """Deletes the gateway and its record. An adopted API stays in AWS."""
        update.delete(row.api_name)


class ApiGatewayAdmin(DynamoDBAdmin):
    """The gateways, with what AWS answered, and the actions that create and change them."""

    source = Gateways()
    form = gateway_forms.GatewayForm
    inlines = (RouteInline,)
    list_display = ("api_name", "progress", "url", "domain_name", "stage_name", "last_error")
    search_fields = ("api_name",)
    search_help_text = "The exact API name."
    actions = ("create_api_gateway", "create_custom_domain", "sync_from_aws", "sync_to_aws")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections of the form. A new record has no section with answers of AWS."""
        return gateway_forms.fieldsets(with_answers=obj is not None)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What AWS answered, the name (the key), and fields that cannot change once AWS uses them."""
        fixed = ("api_name", *rules.fixed(obj.item)) if obj else ()
        return (*gateway_forms.ANSWERED, *fixed)

    @display(description="status", ordering=None)
    def progress(self, obj: Any) -> str:
        """The status, and whether a process is working on the gateway."""
        at_work = " (in progress)" if isinstance(obj.item, ApiGateway) and lease.busy(obj.item) else ""
        return f"{obj.get_status_display()}{at_work}"

    @display(description="URL")
    def url(self, obj: admin_models.ApiGateway) -> str:
        """What clients connect to."""
        return obj.websocket_url or self.get_empty_value_display()

    # Saving stores the record with its routes. If the gateway is deployed, AWS is changed to match

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.item = gateway_forms.filled(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        record = form.instance.item
        for formset in formsets:
            record.additional_routes = formset.routes()
        lease.save(record)
        if not record.reached(Status.DEPLOYED):
            return
        try:
            changed = sync.to_aws(record.api_name)
        except (ProvisioningError, ValidationError) as error:
            self.message_user(request, f"The record was saved, but AWS was not changed. {error}", WARNING)
            return
        for one in changed:
            self.message_user(
                request, f"AWS: {one.name} {f'is now {one.record}' if one.record else 'was removed'}.", SUCCESS
            )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        listed, counts, missing, protected = super().get_deleted_objects(objs, request)
        told: list[Any] = []
        for name, one in zip(listed, objs, strict=True):
            told.append(name)
            if one.api_id:
                stays = "The record. The API stays, because something else created it"
                parts = [stays if one.adopted else f"API {one.api_id} in AWS, with its routes and stage"]
                told.append(parts + ([f"Custom domain {one.domain_name}"] if one.api_gateway_domain_name else []))
        return told, counts, missing, protected

    # Actions

    @action(description="Create API Gateway", permissions=["change"])
    def create_api_gateway(self, request: HttpRequest, queryset: Any) -> None:
        """Creates the selected gateways in AWS, or continues an earlier attempt."""
        self._each(request, queryset, create.create, "Create API Gateway", "was created")

    @action(description="Create custom domain", permissions=["change"])
    def create_custom_domain(self, request: HttpRequest, queryset: Any) -> None:
        """Creates the custom domains of the selected gateways."""
        self._each(request, queryset, create.create_domain, "Create custom domain", "has its custom domain")

    def _each(self, request: HttpRequest, queryset: Any, make: Any, name: str, outcome: str) -> None:
        for one in queryset:
            steps: dict[str, str] = {}

            def note(step: Step, progress: Progress, steps: dict[str, str] = steps) -> None:
                if progress in _SAID:
                    steps[step.label] = _SAID[progress]

            record, failure = None, ""
            try:
                record = make(one.api_name, note)
            except (ProvisioningError, ValidationError) as error:
                failure = _sentence(one, error)
            told = "; ".join(f"{label}: {said}" for label, said in steps.items())
            if _SAID[Progress.DONE] in steps.values():
                self.log_change(request, one, f"{name}. {told}.{' The next step failed.' if failure else ''}")
            if record is None:
                self.message_user(request, f"{failure}{f' ({told})' if told else ''}", ERROR)
                continue
            said = format_html("Gateway {} {}. {}. Clients connect to {}", one, outcome, told, record.websocket_url)
            self.message_user(request, said, SUCCESS)

    @action(description="Sync from AWS", permissions=["change"])
    def sync_from_aws(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Shows the changes to the records, and makes them after confirmation."""
        return self._sync(request, queryset, "sync_from_aws")

    @action(description="Sync to AWS", permissions=["change"])
    def sync_to_aws(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Shows the changes to AWS, and makes them after confirmation."""
        return self._sync(request, queryset, "sync_to_aws")

    def _sync(self, request: HttpRequest, queryset: Any, name: str) -> HttpResponse | None:
        to_aws = name == "sync_to_aws"
        if request.POST.get("confirmed"):
            for one in queryset:
                self._sync_one(request, one, to_aws=to_aws)
            return None
        dry = []
        for one in queryset:
            try:
                dry.append((one, sync.differences(one.item), ""))
            except ProvisioningError as error:
                dry.append((one, [], str(error)))
        context = {
            **self.admin_site.each_context(request),
            "title": "Sync to AWS" if to_aws else "Sync from AWS",
            "opts": self.opts,
            "dry": dry,
            "to_aws": to_aws,
            "any": any(found for _one, found, _error in dry),
            "action": name,
            "queryset": queryset,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ws_lambda/sync.html", context)

    def _sync_one(self, request: HttpRequest, one: Any, *, to_aws: bool) -> None:
        try:
            changed, left = (sync.to_aws(one.api_name), []) if to_aws else sync.from_aws(one.api_name)
        except (ProvisioningError, ValidationError) as error:
            self.message_user(request, _sentence(one, error), ERROR)
            return
        names = ", ".join(difference.name for difference in changed)
        side = "AWS" if to_aws else "The record"
        said = f"{side} was changed: {names}." if changed else "The record and AWS are equal."
        self.message_user(request, f"Gateway {one.api_name}: {said}", SUCCESS)
        if changed:
            self.log_change(request, one, said)
        if left:
            rest = ", ".join(difference.name for difference in left)
            self.message_user(
                request, f"Gateway {one.api_name}: a record cannot hold {rest}. Use Sync to AWS.", WARNING
            )


_SAID = {Progress.DONE: "done", Progress.SKIPPED: "already there"}


def _sentence(row: Any, error: ProvisioningError | ValidationError) -> str:
    """An error, with the name of its gateway."""
    if isinstance(error, ValidationError):
        said = " ".join(f"{field}: {' '.join(sentences)}" for field, sentences in error.message_dict.items())
    else:
        said = str(error)
    return said if repr(row.api_name) in said else f"Gateway {row.api_name!r}: {said}"
