"""Who may be in which channel: the full editing of its rules."""

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
    """One request a page. The table is small by design: each process keeps a copy of it."""

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
            raise WsLambdaError(f"There is a permission for {row.channel_name!r} already.") from error

    def delete(self, row: Any) -> None:
        ChannelPermission(row.channel_name).delete()


class RulesField(forms.CharField):
    """One rule a line; the permissions of a line are all needed, any one line will do."""

    widget = forms.Textarea(attrs={"rows": 5, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(" ".join(rule) for rule in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        rules = [re.split(r"[\s,]+", line.strip()) for line in (value or "").splitlines() if line.strip()]
        for name in {name for rule in rules for name in rule if not _PERMISSION.fullmatch(name)}:
            raise ValidationError(f"{name!r} is no permission: write app_label.codename, such as chat.view_room.")
        return rules

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


class ChannelPermissionForm(ModelForm):
    """Checks the name as the channels themselves do."""

    rules = RulesField(
        label="Rules",
        required=False,
        help_text="For “permissions”. One rule a line: all permissions of a line are needed, any line will do. "
        "With no rule only superusers are admitted.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 2

    def clean_channel_name(self) -> str:
        """The name, if it is a channel's or a prefix."""
        name: str = self.cleaned_data["channel_name"]
        bare = name[:-1] if channels.is_pattern(name) else name
        if not name or (bare and not channels.NAME_PATTERN.fullmatch(bare)):
            raise ValidationError("Letters, digits and _ . : @ - only, and one * at the end for a prefix.")
        if ChannelPermission.count(name):
            raise ValidationError("There is a permission for this channel already.")
        return name


class ChannelPermissionAdmin(DynamoDBAdmin):
    """Access levels of channels, and of everything that begins with a prefix.

    Members whom a change no longer admits are put out, as by `manage.py ws_permissions`.
    """

    source = Permissions()
    form = ChannelPermissionForm
    list_display = ("channel_name", "access", "rules_in_words", "description")
    search_fields = ("channel_name",)
    search_help_text = "The exact name, or the prefix with its *."
    actions = ("put_out",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stores the row, and puts out whom it no longer admits."""
        super().save_model(request, obj, form, change)
        self._evict(request, obj.channel_name)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Deletes the row, and puts out whom UNLISTED_CHANNELS, or a prefix, does not admit."""
        super().delete_model(request, obj)
        self._evict(request, obj.channel_name)

    @action(description="Put out members who are not admitted", permissions=["change"])
    def put_out(self, request: HttpRequest, queryset: Any) -> None:
        """For when the rights of people have changed: saving a permission does it by itself."""
        for one in queryset:
            evicted = self._evict(request, one.channel_name, always=True)
            if evicted.evicted:
                self.log_change(request, one, f"Put {evicted.evicted} members out.")

    def _evict(self, request: HttpRequest, channel_name: str, *, always: bool = False) -> EvictionResult:
        """Puts members out, for as long as an answer may take, and says how many they were."""
        evicted = evict(channel_name)
        done = evicted.complete and not evicted.undone
        if always or evicted.evicted or not done:
            self.message_user(request, f"Channel {channel_name}: {evicted}", SUCCESS if done else WARNING)
        return evicted

    @display(description="rules")
    def rules_in_words(self, obj: admin_models.ChannelPermission) -> str:
        """The rules as a sentence: AND inside a rule, OR between rules."""
        return " or ".join(" and ".join(rule) for rule in obj.rules or [])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The rules as they are typed, or for those who may only look, in words."""
        may_type = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ("channel_name", "access", "rules" if may_type else "rules_in_words", "description")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name is the key: another name is another row."""
        return ("channel_name", "rules_in_words") if obj else ("rules_in_words",)
