"""A subclass of the view decides what refused clients are told."""

import pytest
from django.http import JsonResponse

from tests.urls import ChatView
from ws_lambda.models import RateLimit
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


def test_a_subclass_answers_a_refusal_its_own_way(use_view):
    class Polite(ChatView):
        def token_refused(self, request, refusal):
            return JsonResponse({"please": "log in"}, status=403)

    use_view(Polite)
    assert decode_answer(invoke(connect_event())) == (403, {"please": "log in"})
    assert sum(row.hits for row in RateLimit.query("refused#203.0.113.9")) == 1


def test_a_subclass_answers_every_refusal_its_own_way(user, use_view):
    class Curt(ChatView):
        def refuse(self, request, refusal):
            return JsonResponse({"no": type(refusal).__name__}, status=refusal.status)

        def rate_limited(self, request, refusal):
            return super().rate_limited(request, refusal)

    use_view(Curt)
    assert decode_answer(invoke(connect_event())) == (401, {"no": "TokenRefused"})
    assert decode_answer(invoke(connect_event(origin="https://evil.example"))) == (403, {"no": "OriginRefused"})
    assert decode_answer(invoke(message_event({"action": "chat"}))) == (400, {"no": "InvalidConnectionId"})
    Curt.RATE_LIMIT_REFUSALS_PER_MINUTE = 1
    assert decode_answer(invoke(connect_event())) == (429, {"no": "RateLimited"})
