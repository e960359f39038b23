"""`path("", include("ws_lambda.urls"))` gives the token endpoint at `api/ws-token/`, named `ws_token`."""

from django.urls import path

from ws_lambda.views import WebSocketTokenView

urlpatterns = [path("api/ws-token/", WebSocketTokenView.as_view(), name="ws_token")]
