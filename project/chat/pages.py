"""The chat's HTML pages. They hold no messages: those come over the WebSocket."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin, UserPassesTestMixin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from project.chat.views import MAX_MESSAGE_LENGTH, people_in
from ws_lambda.models import may_join

ROOMS = {
    "general": "Whatever is on your mind",
    "support": "Ask, and someone will know",
    "random": "Links, pictures of cats, lunch",
}
MAX_ROOM_LENGTH = 40


class LogInView(LoginView):
    """Names the demo accounts, on a developer's own machine."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = settings.WS_LOCAL_ACCOUNTS if settings.DEBUG else {}
        accounts = {name: given["password"] for name, given in known.items()}
        return super().get_context_data(demo_accounts=accounts, **kwargs)


class RoomForm(forms.Form):
    """Any room can be opened by its name."""

    name = forms.SlugField(
        max_length=MAX_ROOM_LENGTH,
        error_messages={"invalid": "Letters, digits, - and _ only, please."},
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return name.lower()


class RoomsView(LoginRequiredMixin, TemplateView):
    """The list of rooms, and a field for any other name."""

    template_name = "chat/rooms.html"

    def post(self, request: HttpRequest) -> HttpResponse:
        form = RoomForm(request.POST)
        if form.is_valid():
            return redirect("room", form.cleaned_data["name"])
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rooms = [{"name": name, "about": about, "people": len(people_in(name))} for name, about in ROOMS.items()]
        return super().get_context_data(rooms=rooms, max_length=MAX_ROOM_LENGTH, **kwargs)


class RoomView(LoginRequiredMixin, UserPassesTestMixin, TemplateView):
    """One room. The page's script gets what it needs to know as JSON."""

    template_name = "chat/room.html"

    def test_func(self) -> bool:
        """Asks here what `$connect` will ask: a browser does not tell a page why its WebSocket was refused."""
        return may_join(self.request.user, self.kwargs["room"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        room: str = self.kwargs["room"]
        room_settings = {
            "room": room,
            "me": self.request.user.get_username(),
            "tokenUrl": reverse("ws_token"),
            "loginUrl": f"{reverse('login')}?next={self.request.path}",
            "maxLength": MAX_MESSAGE_LENGTH,
        }
        return super().get_context_data(about=ROOMS.get(room, ""), room_settings=room_settings, rooms=ROOMS, **kwargs)
