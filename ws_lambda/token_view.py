"""`WebSocketTokenView`: issues the tokens that clients open connections with."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from ws_lambda.conf import conf
from ws_lambda.exceptions import PermissionRefused, Refused
from ws_lambda.gatekeeping import tokens


@method_decorator([csrf_protect, require_POST], name="dispatch")
class WebSocketTokenView(View):
    """`POST` → `{"token", "expires_in", "url"}`: the right to open one connection within `expires_in` seconds."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Issues a token for the logged-in user. If a `channel` is posted, the token is valid for that channel only.

        Answers 403 if the user is not logged in, 400 if the channel name is invalid, and 429 after too many tokens.
        """
        try:
            if not request.user.is_authenticated:
                raise PermissionRefused("Log in first")
            token = tokens.mint(request, request.POST.get("channel", ""))
        except Refused as refusal:
            return JsonResponse({"message": refusal.message}, status=refusal.status)
        answer = {"token": token, "expires_in": conf.TOKEN_SECONDS, "url": tokens.websocket_url()}
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})
