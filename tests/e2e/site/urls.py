"""The demo's URLs, with the test's own views for events."""

from django.urls import include, path
from e2e_site.views import LateView, View

urlpatterns = [
    path("ws/<slug:route>", View.as_view(), name="websocket"),
    path("late/arrival", LateView.as_view(), {"route": "late"}),
    path("", include("project.urls")),
]
