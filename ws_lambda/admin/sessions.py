"""Sessions: pages that show connections, and actions that send messages to them or disconnect them."""

import json
from typing import Any

from django import forms
from django.contrib.admin import action, display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import SUCCESS, WARNING
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ws_lambda import delivery, json_text
from ws_lambda.admin import models as admin_models
from ws_lambda.admin import session_source
from ws_lambda.admin.changelist import ChoiceFilter, TextFilter
from ws_lambda.admin.model_admin import ReadOnlyAdmin
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models.batch_closing import close_gone
from ws_lambda.models.disconnecting import close_and_disconnect


class ConnectedFilter(ChoiceFilter):
    title = "connected"
    parameter_name = "connected"
    options = (
        (session_source.YES, "Connected"),
        (session_source.NO, "Closed"),
        (session_source.ALL, "All, in no order"),
    )


class ChannelFilter(TextFilter):
    title = "channel"
    parameter_name = "channel"


class UserFilter(TextFilter):
    title = "user"
    parameter_name = "user"


class MessageForm(forms.Form):
    """The message for the selected connections."""

    message = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6, "cols": 70, "class": "vLargeTextField"}),
        initial='{"type": "notice", "message": ""}',
        help_text="JSON, which is sent unchanged.",
    )

    def clean_message(self) -> Any:
        """The parsed message.

        Raises:
            ValidationError: it is not JSON, or it is too large.
        """
        text = self.cleaned_data["message"]
        try:
            data = json_text.loads(text.encode())
        except ValueError as error:
            raise forms.ValidationError(f"This is not valid JSON: {error}.") from error
        if len(json.dumps(data).encode()) > delivery.MAX_BYTES:
            raise forms.ValidationError(f"A message may have at most {delivery.MAX_BYTES:,} bytes.")
        return data


class WebSocketSessionAdmin(ReadOnlyAdmin):
    """The connections. Clients open and close them; people can send to them and disconnect them."""

    source = session_source.Sessions()
    list_display = (
        "connection_id",
        "user_id",
        "channels",
        "connected",
        "request_count",
        "connected_at",
        "last_seen_at",
        "source_ip",
    )
    list_display_links = ("connection_id",)  # type: ignore[assignment]
    list_filter = (ConnectedFilter, ChannelFilter, UserFilter)
    search_fields = ("connection_id",)
    search_help_text = "The exact connection id."
    actions = ("send_message", "disconnect")
    change_list_template = "admin/ws_lambda/sessions.html"

    @display(description="channels")
    def channels(self, obj: admin_models.WebSocketSession) -> str:
        """All channels of the connection."""
        return ", ".join(obj.all_channels)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = [field.name for field in self.opts.concrete_fields]
        return ["channels" if name == "all_channels" else name for name in names]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        hidden = {"show_save": False, "show_save_and_continue": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, hidden)

    @action(description="Send message to selected connections", permissions=["change"])
    def send_message(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Shows a form for the message, then sends it."""
        form = MessageForm(request.POST if "message" in request.POST else None)
        if form.is_valid():
            recipients = _recipients(queryset)
            try:
                report = delivery.send(delivery.Listed(recipients), form.cleaned_data["message"], on_gone=close_gone)
            except ValueError as error:
                raise DeliveryError(str(error)) from error
            self._tell(request, f"Message: {report}.", report)
            self._log(request, queryset, "Sent a message.", report)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Send message",
            "opts": self.opts,
            "queryset": queryset,
            "form": form,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ws_lambda/send_message.html", context)

    @action(description="Disconnect selected connections", permissions=["change"])
    def disconnect(self, request: HttpRequest, queryset: Any) -> None:
        """Closes sessions and sockets."""
        report = close_and_disconnect(_recipients(queryset))
        self._tell(request, f"Disconnected: {report.sent}. Already gone: {len(report.gone)}.", report)
        self._log(request, queryset, "Disconnected.", report)

    def _log(self, request: HttpRequest, queryset: Any, what: str, report: delivery.DeliveryReport) -> None:
        """Logs an action for every connection on which it succeeded."""
        not_done = {failure.connection_id for failure in report.failed} | set(report.gone)
        for one in queryset:
            if one.connected and one.connection_id not in not_done:
                self.log_change(request, one, what)

    def _tell(self, request: HttpRequest, said: str, report: delivery.DeliveryReport) -> None:
        self.message_user(request, said, WARNING if report.failed else SUCCESS)
        for failure in report.failed:
            self.message_user(request, f"{failure.connection_id}: {failure.reason}", WARNING)


def _recipients(rows: Any) -> list[delivery.Recipient]:
    return [row.item.recipient for row in rows if row.connected]
