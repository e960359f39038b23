"""Which methods of a view clients can call."""

import pytest

from tests.urls import ChatView
from ws_lambda.testing import decode_answer, invoke, message_event
from ws_lambda.views import handler

pytestmark = pytest.mark.usefixtures("still")


class Mixin:
    def from_mixin(self, request, *args, **kwargs):
        return {"handler": "from_mixin"}

    @handler
    def marked(self, request, *args, **kwargs):
        return {"handler": "marked"}


class Inheriting(Mixin, ChatView):
    pass


def test_only_the_classs_own_functions_and_marked_ones(c1, use_view):
    use_view(Inheriting)
    assert decode_answer(invoke(message_event({"action": "from_mixin"})))[1] == {"handler": "default"}
    assert decode_answer(invoke(message_event({"action": "chat"})))[1] == {"handler": "default"}
    assert decode_answer(invoke(message_event({"action": "marked"})))[1] == {"handler": "marked"}


def test_additional_and_exact_lists_of_handlers(c1, use_view):
    class More(Mixin, ChatView):
        ADDITIONAL_ALLOWED_HANDLERS = ["from_mixin", "connect", "_receive"]

    class Exactly(Mixin, ChatView):
        ALLOWED_HANDLERS = {"from_mixin"}

        def own(self, request, *args, **kwargs):
            return {"handler": "own"}

    use_view(More)
    assert decode_answer(invoke(message_event({"action": "from_mixin"})))[1] == {"handler": "from_mixin"}
    assert decode_answer(invoke(message_event({"action": "connect"})))[1] == {"handler": "default"}
    use_view(Exactly)
    assert decode_answer(invoke(message_event({"action": "from_mixin"})))[1] == {"handler": "from_mixin"}
    assert decode_answer(invoke(message_event({"action": "own"})))[0] == 400
