"""The inline form of a gateway's additional routes, which are a list in the gateway's record."""

from typing import Any

from django import forms
from django.forms.formsets import BaseFormSet
from django.forms.models import InlineForeignKeyField
from django.http import HttpRequest

from ws_lambda.admin import models as admin_models
from ws_lambda.admin.row_set import RowSet, RowSource
from ws_lambda.admin.typed import BaseInlineFormSet, TabularInline
from ws_lambda.events import FIXED_ROUTES
from ws_lambda.provisioning import rules
from ws_lambda.tables.gateways import AdditionalRoute


class Routes(RowSource):
    """The routes of one gateway. The inline form set reads and keeps them."""

    model = admin_models.AdditionalRoute

    def many(self, keys: Any) -> list[Any]:
        return []


class RoutesOf(RowSet):
    """The routes in a gateway's record, as rows of the inline."""

    def __init__(self, gateway: Any) -> None:
        super().__init__(Routes(), ())
        routes = getattr(getattr(gateway, "item", None), "additional_routes", ())
        self._read = [admin_models.AdditionalRoute.of(route, key=route.route_key, gateway=gateway) for route in routes]


class RouteFormSet(BaseInlineFormSet):
    """Django's inline form set, for a list in the parent's item."""

    _pk_field = admin_models.AdditionalRoute._meta.pk

    def __init__(self, *args: Any, instance: Any = None, queryset: Any = None, **kwargs: Any) -> None:
        self._gateway = instance
        super().__init__(*args, instance=instance, queryset=_Chosen(instance), **kwargs)  # type: ignore[misc, arg-type]

    @classmethod
    def get_default_prefix(cls) -> str:
        """The prefix. Django's default needs a reverse accessor on the parent, which has none."""
        return "routes"

    def add_fields(self, form: Any, index: int | None) -> None:
        """Adds the key as hidden text: Django's own field would read each row again."""
        BaseFormSet.add_fields(self, form, index)
        for name in form.fields.keys() & {"name", "route_key"}:
            form.fields[name].widget.attrs |= {
                "class": "",
                "size": 24,
            }  # three inputs of Django's default width overflow
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
        """The routes for the record. Also sets the lists of changes for Django's log."""
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
    """The row set that Django filters by its parent."""

    def __init__(self, gateway: Any) -> None:
        super().__init__(Routes(), ())
        self._gateway = gateway

    def filter(self, **_lookups: Any) -> RowSet:
        return RoutesOf(self._gateway)


def _route(said: dict[str, Any]) -> AdditionalRoute:
    return AdditionalRoute(name=said["name"], route_key=said["route_key"], target=said.get("target") or "")  # type: ignore[no-untyped-call]


class RouteInline(TabularInline):
    """The additional routes on the page of their gateway. People who may change the gateway may change them."""

    model = admin_models.AdditionalRoute
    formset = RouteFormSet
    fields = ("name", "route_key", "target")
    extra = 0
    verbose_name_plural = "additional routes"

    def get_queryset(self, request: HttpRequest) -> Any:
        """An empty row set: the form set reads the rows from its gateway."""
        return RowSet(Routes(), ())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"ws_lambda.{'change' if obj else 'add'}_apigateway")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj) or request.user.has_perm("ws_lambda.view_apigateway")
