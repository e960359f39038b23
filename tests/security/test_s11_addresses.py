"""S11: the client's address is what API Gateway saw, whatever X-Forwarded-For claims. S10 counts by it."""

import pytest

from tests import wire
from tests.urls import ChatView
from ws_lambda.models import WebSocketSession

pytestmark = pytest.mark.usefixtures("tables", "still")
SPOOFS = (
    "X-Forwarded-For",
    "x-forwarded-for",
    "X_Forwarded_For",
    "Forwarded",
    "X-Real-Ip",
    "X-Ws-Source-Ip",
    "Client-Ip",
)


def test_a_new_forged_address_each_time_does_not_get_past_the_limit(user):
    for number in range(20):
        forged = dict.fromkeys(SPOOFS, f"198.51.100.{number}")
        assert wire.connect(token="0" * 64, headers=forged)["statusCode"] == 401
    forged = dict.fromkeys(SPOOFS, "198.51.100.200")
    assert wire.connect(token=wire.mint(user), headers=forged)["statusCode"] == 429


def test_the_session_and_the_request_have_the_true_one(user, use_view):
    seen = {}

    class Looking(ChatView):
        def additional_connection_checks(self, request):
            seen.update(request.META)
            return True, ""

    use_view(Looking)
    forged = dict.fromkeys(("X-Forwarded-For", "X_Forwarded_For", "x_forwarded_proto", "Forwarded"), "198.51.100.7")
    wire.connect(token=wire.mint(user), headers={**forged, "X-Forwarded-Host": "evil.example"})
    assert WebSocketSession.get("C1=").source_ip == "203.0.113.9"
    assert seen["REMOTE_ADDR"] == "203.0.113.9"
    assert not [name for name in seen if "FORWARDED" in name]
