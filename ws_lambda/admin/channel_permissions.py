"""Channel permissions: the admin pages that edit access levels and rules."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin import action, display
from django.contrib.messages import SUCCESS, WARNING
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from pynamodb.exceptions import PutError

from ws_lambda import channels
from ws_lambda.admin import models as admin_models
from ws_lambda.admin.model_admin import DynamoDBAdmin
from ws_lambda.admin.row_set import Asked, Page, RowSource, read_pages
from ws_lambda.admin.typed import ModelForm
from ws_lambda.exceptions import WsLambdaError
from ws_lambda.gatekeeping.eviction import EvictionResult, evict
from ws_lambda.models.channel_permissions import ChannelPermission
from ws_lambda.tables.shared_connection import condition_failed

_PERMISSION = re.compile(r"\w+\.\w+")


class Permissions(RowSource):
    """Reads a page with one request. The table is small: each process keeps a copy of it."""

    model = admin_models.ChannelPermission

    def page(self, asked: Asked) -> Page:
        if asked.search:
            return Page(rows=self.many([asked.search]))
        results = ChannelPermission.scan(page_size=asked.size, last_evaluated_key=asked.after, consistent_read=True)
        items, cursor = read_pages(results, asked.size, requests=1)
        rows = [admin_models.ChannelPermission.of(ChannelPermission.from_raw_data(item)) for item in items]
        return Page(rows=sorted(rows, key=str), cursor=asked.cursor_of(cursor))

    def many(self, keys: Sequence[str]) -> list[Any]:
        return [
            admin_models.ChannelPermission.of(row)
            for row in ChannelPermission.batch_get(list(keys), consistent_read=True)
        ]

    def save(self, row: Any, *, change: bool) -> None:
        item = ChannelPermission(
            row.channel_name, access=row.access, rules=row.rules or [], description=row.description
        )
        try:
            item.save(None if change else ChannelPermission.channel_name.does_not_exist())
        except PutError as error:
            if not condition_failed(error):
                raise
            raise WsLambdaError(f"There is already a permission for {row.channel_name!r}.") from error

    def delete(self, row: Any) -> None:
        ChannelPermission(row.channel_name).delete()


class RulesField(forms.CharField):
    """One rule on each line. A user needs all permissions of any one line."""

    widget = forms.Textarea(attrs={"rows": 5, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(" ".join(rule) for rule in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        rules = [re.split(r"[\s,]+", line.strip()) for line in (value or "").splitlines() if line.strip()]
        for name in {name for rule in rules for name in rule if not _PERMISSION.fullmatch(name)}:
            raise ValidationError(f"{name!r} is not a permission. Write app_label.codename, such as chat.view_room.")
        return rules

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


class ChannelPermissionForm(ModelForm):
    """Validates the name by the rules for names of channels."""

    rules = RulesField(
        label="Rules",
        required=False,
        help_text="For the access level “permissions”. Write one rule on each line. A user needs all permissions of "
        "any one line. Without rules, only superusers are admitted.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 2

    def clean_channel_name(self) -> str:
        """The name, if it is the name of a channel or a prefix."""
        name: str = self.cleaned_data["channel_name"]
        bare = name[:-1] if channels.is_pattern(name) else name
        if not name or (bare and not channels.NAME_PATTERN.fullmatch(bare)):
            raise ValidationError("Use only letters, digits and _ . : @ -, with one * at the end for a prefix.")
        if ChannelPermission.count(name):
            raise ValidationError("There is already a permission for this channel.")
        return name


class ChannelPermissionAdmin(DynamoDBAdmin):
    """Access levels of channels, and of all channels with a prefix.

    Members whom a change no longer admits are removed, as with `manage.py ws_permissions`.
    """

    source = Permissions()
    form = ChannelPermissionForm
    list_display = ("channel_name", "access", "rules_in_words", "description")
    search_fields = ("channel_name",)
    search_help_text = "The exact name, or a prefix with its *."
    actions = ("remove_members",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stores the row, and removes members whom it no longer admits."""
        super().save_model(request, obj, form, change)
        self._evict(request, obj.channel_name)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Deletes the row, and removes members whom UNLISTED_CHANNELS or a prefix does not admit."""
        super().delete_model(request, obj)
        self._evict(request, obj.channel_name)

    @action(description="Remove members who are not admitted", permissions=["change"])
    def remove_members(self, request: HttpRequest, queryset: Any) -> None:
        """For use after the permissions of users have changed. Saving a channel permission does the same."""
        for one in queryset:
            evicted = self._evict(request, one.channel_name, always=True)
            if evicted.evicted:
                self.log_change(request, one, f"Removed {evicted.evicted} members.")

    def _evict(self, request: HttpRequest, channel_name: str, *, always: bool = False) -> EvictionResult:
        """Removes members until the deadline of the page, and shows how many."""
        evicted = evict(channel_name)
        done = evicted.complete and not evicted.undone
        if always or evicted.evicted or not done:
            self.message_user(request, f"Channel {channel_name}: {evicted}", SUCCESS if done else WARNING)
        return evicted

    @display(description="rules")
    def rules_in_words(self, obj: admin_models.ChannelPermission) -> str:
        """The rules in words: "and" inside a rule, "or" between rules."""
        return " or ".join(" and ".join(rule) for rule in obj.rules or [])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The fields. People who may only view the row see the rules in words."""
        may_type = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ("channel_name", "access", "rules" if may_type else "rules_in_words", "description")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name is the key, so it cannot change."""
        return ("channel_name", "rules_in_words") if obj else ("rules_in_words",)
