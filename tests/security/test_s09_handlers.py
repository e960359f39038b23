"""S9: clients call registered handlers and nothing else."""

import pytest
from django.views import View

from tests import wire
from tests.urls import ChatView
from ws_lambda.handlers import callable_names
from ws_lambda.views import WebSocketView

BASE_NAMES = sorted(set(dir(WebSocketView)) | set(dir(View)))


class Mixin:
    def inherited(self, request, *args, **kwargs):
        raise AssertionError("a client called a mixin's method")


class Target(Mixin, ChatView):
    secret = "value"

    def default(self, request, *args, **kwargs):
        return {"handler": "default"}

    def _private(self, request, *args, **kwargs):
        raise AssertionError("a client called a private method")

    def __dunder(self, request, *args, **kwargs):
        raise AssertionError("a client called a private method")

    @staticmethod
    def static(*args, **kwargs):
        raise AssertionError("a client called a static method")

    @classmethod
    def made_by_class(cls, *args, **kwargs):
        raise AssertionError("a client called a class method")

    @property
    def computed(self):
        raise AssertionError("a client read a property")

    def connect(self, request, *args, **kwargs):
        return super().connect(request, *args, **kwargs)


def test_by_name():
    assert callable_names(Target, WebSocketView) == {"default"}


@pytest.mark.parametrize(
    "name", [*BASE_NAMES, "inherited", "_private", "_Target__dunder", "static", "made_by_class", "computed", "secret"]
)
def test_nothing_else_can_be_called(name):
    if name != "default":
        assert name not in callable_names(Target, WebSocketView)


def test_nor_over_the_wire(tables, user, use_view):
    use_view(Target)
    wire.connect(token=wire.mint(user))
    for name in ("inherited", "_private", "_Target__dunder", "static", "computed", "dispatch", "__class__"):
        for key in ("handler", "action"):
            assert wire.answer(wire.message({key: name})) == (200, {"handler": "default"})


def test_nor_by_listing_what_is_not_meant_for_clients():
    class Careless(ChatView):
        ALLOWED_HANDLERS = ["chat", "connect", "dispatch", "_receive", "missing", "setup"]

    assert callable_names(Careless, WebSocketView) == {"chat"}


def test_nor_where_the_urlconf_narrows_the_view(tables, user, monkeypatch):
    from tests import urls

    class Open(ChatView):
        def other(self, request, *args, **kwargs):
            return {"handler": "other"}

    class Narrowed:
        as_view = staticmethod(lambda: Open.as_view(ALLOWED_HANDLERS=["default"], ADDITIONAL_ALLOWED_HANDLERS=["chat"]))

    wire.connect(token=wire.mint(user))
    monkeypatch.setitem(urls.current, "view", Open)
    assert wire.answer(wire.message({"action": "other"}))[1] == {"handler": "other"}
    monkeypatch.setitem(urls.current, "view", Narrowed)
    for name in ("other", "chat", "connect"):
        assert wire.answer(wire.message({"action": name}))[1] == {"handler": "default"}
