"""The form of a gateway. Its fields come from the table of fields, and provisioning validates them."""

from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ws_lambda.admin.typed import ModelForm
from ws_lambda.provisioning import gateway_fields, lease, rules
from ws_lambda.tables.gateways import ApiGateway

ANSWERED = ("url", *(field.name for field in gateway_fields.FIELDS if field.answered and field.section is not None))
"""What AWS answered, and the status of the steps: people see these fields, and cannot edit them."""

TYPED = tuple(
    field.name
    for field in gateway_fields.FIELDS
    if field.section is not None and not field.answered and field.name != "api_name"
)
"""The fields that people can edit."""

WIDE = tuple(field.name for field in gateway_fields.FIELDS if field.wide)


def fieldsets(*, with_answers: bool) -> Any:
    """The sections of the form, as Django's admin takes them. What AWS answered comes last."""
    shown = [field for field in gateway_fields.FIELDS if field.section is not None and not field.answered]
    found: list[Any] = [
        (section or None, {"fields": [field.name for field in fields]})
        for section, fields in groupby(shown, key=lambda field: field.section)
    ]
    found[0][1]["fields"].append("seen_version")
    return [*found, ("In AWS", {"fields": ANSWERED})] if with_answers else found


def filled(row: Any) -> ApiGateway:
    """The record of a form, new or existing, with the values from the form."""
    record: ApiGateway = row.item or ApiGateway(api_name=row.api_name)
    for name in TYPED:
        setattr(record, name, getattr(row, name))
    record.tags = row.tags or {}
    return record


class GatewayForm(ModelForm):
    """Refuses values that AWS would refuse, and a record that someone else has changed in the meantime."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_version"] = getattr(self.instance.item, "version", None)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 2
            elif name in WIDE:
                field.widget.attrs["class"] = "vLargeTextField"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        item = self.instance.item
        if item is not None and cleaned.get("seen_version") != item.version:
            raise ValidationError(
                "Someone else has changed this gateway since you opened the page. Load the page again."
            )
        if item is not None and lease.busy(item):
            raise ValidationError("Another process is working on this gateway. Save again when it has finished.")
        if item is None and ApiGateway.count(cleaned.get("api_name") or "-"):
            self.add_error("api_name", "There is already a gateway of this name.")
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
