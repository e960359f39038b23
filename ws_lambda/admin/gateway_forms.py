"""The form of a gateway, with its routes in it: what is typed is checked by the rules of provisioning."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet
from django.forms.models import InlineForeignKeyField
from django.http import HttpRequest

from ws_lambda.admin import models as admin_models
from ws_lambda.admin.row_set import RowSet, RowSource
from ws_lambda.admin.typed import BaseInlineFormSet, ModelForm, TabularInline
from ws_lambda.events import FIXED_ROUTES
from ws_lambda.provisioning import lease, rules
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway

ANSWERED = (
    "status",
    "last_error",
    "url",
    "api_id",
    "api_endpoint",
    "deployment_id",
    "api_gateway_domain_name",
    "api_mapping_id",
    "adopted",
)
"""What AWS answered, and what became of the steps: shown, never typed."""

FIELDSETS: Any = (
    (None, {"fields": ("api_name", "api_description", "default_channel_name", "seen_version")}),
    ("Integration", {"fields": ("integration", "lambda_function_arn", "target_base_endpoint")}),
    (
        "Routing",
        {"fields": ("route_selection_expression", "route_key", "api_key_selection_expression")},
    ),
    (
        "Stage",
        {
            "fields": (
                "stage_name",
                "stage_description",
                "throttling_rate",
                "throttling_burst",
                "access_log_arn",
                "tags",
            )
        },
    ),
    ("Custom domain", {"fields": ("domain_name", "certificate_arn", "hosted_zone_id")}),
    ("In AWS", {"fields": ANSWERED}),
)

LONG = ("lambda_function_arn", "target_base_endpoint", "access_log_arn", "certificate_arn")
"""What does not fit into the width of a name."""

TYPED = tuple(
    field.name
    for field in admin_models.ApiGateway._meta.concrete_fields
    if field.name not in (*ANSWERED, "version", "api_name")
)
"""The fields of the record that a person may type."""


def filled(face: Any) -> ApiGateway:
    """The record of a form: a new one, or the one that was read, with what was typed."""
    record: ApiGateway = face.item or ApiGateway(api_name=face.api_name)
    for name in TYPED:
        setattr(record, name, getattr(face, name))
    record.tags = face.tags or {}
    return record


class GatewayForm(ModelForm):
    """Refuses what AWS would refuse, and a form that was opened before someone else saved."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_version"] = getattr(self.instance.item, "version", None)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 2
            elif name in LONG:
                field.widget.attrs["class"] = "vLargeTextField"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        item = self.instance.item
        if item is not None and cleaned.get("seen_version") != item.version:
            raise ValidationError("Someone else has changed this gateway since you opened it. Load the page again.")
        if item is not None and lease.busy(item):
            raise ValidationError("Another process is working on this gateway in AWS. Save again when it is done.")
        if item is None and ApiGateway.count(cleaned.get("api_name") or "-"):
            self.add_error("api_name", "There is a gateway of this name already.")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        trial = ApiGateway(api_name=self.instance.api_name)
        for name in TYPED:
            setattr(trial, name, getattr(self.instance, name))
        for field, sentence in rules.problems(trial):
            self.add_error(field if field in self.fields else None, sentence)


class Routes(RowSource):
    """The routes of one gateway; the inline form set reads and keeps them itself."""

    face = admin_models.AdditionalRoute

    def many(self, keys: Any) -> list[Any]:
        return []


admin_models.AdditionalRoute.source = Routes()


class RoutesOf(RowSet):
    """The routes inside a gateway's record, as rows of the inline."""

    def __init__(self, gateway: Any) -> None:
        super().__init__(admin_models.AdditionalRoute.source, ())
        routes = getattr(getattr(gateway, "item", None), "additional_routes", ())
        self._read = [admin_models.AdditionalRoute.of(route, key=route.route_key, gateway=gateway) for route in routes]


class RouteFormSet(BaseInlineFormSet):
    """Django's inline form set, over a list in the parent's item."""

    _pk_field = admin_models.AdditionalRoute._meta.pk

    def __init__(self, *args: Any, instance: Any = None, queryset: Any = None, **kwargs: Any) -> None:
        self._gateway = instance
        super().__init__(*args, instance=instance, queryset=_Chosen(instance), **kwargs)  # type: ignore[misc, arg-type]

    @classmethod
    def get_default_prefix(cls) -> str:
        """Django names it after the parent's reverse accessor, and this parent has none."""
        return "routes"

    def add_fields(self, form: Any, index: int | None) -> None:
        """The key as hidden text: Django's own field would look each row up again."""
        BaseFormSet.add_fields(self, form, index)
        for name in form.fields.keys() & {"name", "route_key"}:
            form.fields[name].widget.attrs |= {"class": "", "size": 24}  # three of Django's own width overflow
        form.fields["key"] = forms.CharField(
            required=False, initial=form.instance.key or None, widget=forms.HiddenInput
        )
        form.fields["gateway"] = InlineForeignKeyField(self._gateway, label="", required=False)

    def clean(self) -> None:
        seen = {*FIXED_ROUTES, self._gateway.route_key}
        for form in self.forms:
            said = form.cleaned_data
            if not {"name", "route_key", "target"} <= said.keys() or said.get("DELETE"):
                continue
            found = list(rules.route_problems(_route(said), self._gateway.integration))
            if said["route_key"] in seen:
                found.append(("route_key", "This route key is already taken."))
            seen.add(said["route_key"])
            for field, sentence in found:
                form.add_error(field, sentence)

    def routes(self) -> list[AdditionalRoute]:
        """What the record is to hold; the lists of what changed are for Django's log."""
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        kept = []
        for form in self.forms:
            said = form.cleaned_data
            if not said.get("route_key"):
                continue
            if said.get("DELETE"):
                self.deleted_objects.append(form.instance)
                continue
            kept.append(_route(said))
            if form in self.initial_forms:
                if form.has_changed():
                    self.changed_objects.append((form.instance, form.changed_data))
            else:
                self.new_objects.append(form.instance)
        return kept


class _Chosen(RowSet):
    """Lets the form set choose the rows of its parent, in Django's words."""

    def __init__(self, gateway: Any) -> None:
        super().__init__(admin_models.AdditionalRoute.source, ())
        self._gateway = gateway

    def filter(self, **_lookups: Any) -> RowSet:
        return RoutesOf(self._gateway)


def _route(said: dict[str, Any]) -> AdditionalRoute:
    return AdditionalRoute(name=said["name"], route_key=said["route_key"], target=said.get("target") or "")  # type: ignore[no-untyped-call]


class RouteInline(TabularInline):
    """The additional routes, on the page of their gateway. Who may change the gateway may change them."""

    model = admin_models.AdditionalRoute
    formset = RouteFormSet
    fields = ("name", "route_key", "target")
    extra = 0
    verbose_name_plural = "additional routes"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"ws_lambda.{'change' if obj else 'add'}_apigateway")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj) or request.user.has_perm("ws_lambda.view_apigateway")
