"""The pages of the demo, the token endpoint, and where API Gateway's events arrive."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from project import static_files
from project.chat.pages import LogInView
from project.chat.views import ChatView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LogInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("ws/<slug:route>", ChatView.as_view(), name="websocket"),
    path("static/<path:path>", static_files.serve),
    path("", include("ws_lambda.urls")),
    path("", include("ws_lambda.admin.urls")),
    path("", include("project.chat.urls")),
]
