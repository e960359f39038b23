"""S9: clients call registered handlers and nothing else. docs/contract.md 40."""

import pytest
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from tests.urls import ChatView
from ws_lambda.handlers import callable_names
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event, mint_token
from ws_lambda.views import WebSocketView, handler

ASSIGNED = ["serializer", "shortcut", "again", "borrowed", "disguised"]
BASE_NAMES = sorted(set(dir(WebSocketView)) | set(dir(View)))


def dump_everything(*args, **kwargs):
    raise AssertionError("a client called a function that was only assigned to the class")


def careless(function):
    """A decorator that forgets `functools.wraps`."""
    return lambda *args, **kwargs: function(*args, **kwargs)


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

    serializer = dump_everything
    shortcut = lambda *args, **kwargs: dump_everything()  # noqa: E731
    again = _private
    borrowed = ChatView.chat

    @careless
    def disguised(self, request, *args, **kwargs):
        raise AssertionError("a client called a function of another name")

    def connect(self, request, *args, **kwargs):
        return super().connect(request, *args, **kwargs)


def test_by_name():
    assert callable_names(Target, WebSocketView) == {"default"}


@pytest.mark.parametrize(
    "name",
    [
        *BASE_NAMES,
        *ASSIGNED,
        "inherited",
        "_private",
        "_Target__dunder",
        "static",
        "made_by_class",
        "computed",
        "secret",
    ],
)
def test_nothing_else_can_be_called(name):
    if name != "default":
        assert name not in callable_names(Target, WebSocketView)


def test_nor_over_the_wire(ws_tables, user, use_view):
    use_view(Target)
    invoke(connect_event(token=mint_token(user)))
    for name in (*ASSIGNED, "inherited", "_private", "_Target__dunder", "static", "computed", "dispatch", "__class__"):
        for key in ("handler", "action"):
            assert decode_answer(invoke(message_event({key: name}))) == (200, {"handler": "default"})


def test_listing_methods_that_are_not_meant_for_clients_changes_nothing():
    class Careless(ChatView):
        ALLOWED_HANDLERS = ["chat", "connect", "dispatch", "_receive", "missing", "setup"]

    assert callable_names(Careless, WebSocketView) == {"chat"}


def test_nor_where_the_urlconf_narrows_the_view(ws_tables, user, monkeypatch):
    from tests import urls

    class Open(ChatView):
        def other(self, request, *args, **kwargs):
            return {"handler": "other"}

    class Narrowed:
        as_view = staticmethod(lambda: Open.as_view(ALLOWED_HANDLERS=["default"], ADDITIONAL_ALLOWED_HANDLERS=["chat"]))

    invoke(connect_event(token=mint_token(user)))
    monkeypatch.setitem(urls.current, "view", Open)
    assert decode_answer(invoke(message_event({"action": "other"})))[1] == {"handler": "other"}
    monkeypatch.setitem(urls.current, "view", Narrowed)
    for name in ("other", "chat", "connect"):
        assert decode_answer(invoke(message_event({"action": name})))[1] == {"handler": "default"}


def test_assigned_methods_are_open_if_marked_or_listed():
    class Explicit(ChatView):
        ADDITIONAL_ALLOWED_HANDLERS = ("listed",)
        listed = dump_everything
        marked = handler(lambda self, request, *args, **kwargs: {})
        other = dump_everything

    assert callable_names(Explicit, WebSocketView) == {"default", "listed", "marked"}


def test_a_default_that_is_assigned_is_none():
    assert callable_names(type("Bare", (WebSocketView,), {"default": dump_everything}), WebSocketView) == set()
    assert callable_names(type("Sub", (ChatView,), {"default": dump_everything}), WebSocketView) == {"default"}


def test_methods_that_are_added_later_or_by_a_class_factory_stay_closed():
    made = type("Made", (ChatView,), {"dump_everything": dump_everything, "lookalike": lambda self: None})
    made.late = dump_everything
    assert callable_names(made, WebSocketView) == {"default"}


def test_nor_under_a_name_that_only_looks_like_the_class_s_own():
    def outside(*args, **kwargs):
        raise AssertionError("a client called a function of another module")

    class Copied(ChatView):
        copied = outside

    outside.__qualname__ = f"{Copied.__qualname__}.copied"
    outside.__module__ = "elsewhere"
    assert callable_names(Copied, WebSocketView) == {"default"}


def test_django_s_decorators_leave_a_method_what_it_is():
    class Decorated(ChatView):
        @method_decorator(never_cache)
        def one(self, request, *args, **kwargs): ...

        @method_decorator([csrf_exempt, never_cache])
        def two(self, request, *args, **kwargs): ...

        async def three(self, request, *args, **kwargs): ...

    assert callable_names(Decorated, WebSocketView) == {"default", "one", "two", "three"}


def test_change_channel_opens_by_being_defined_not_by_being_assigned():
    class Assigned(ChatView):
        change_channel = WebSocketView.change_channel

    class Defined(ChatView):
        def change_channel(self, request, *args, **kwargs):
            return super().change_channel(request, *args, **kwargs)

    assert callable_names(Assigned, WebSocketView) == {"default"}
    assert callable_names(Defined, WebSocketView) == {"default", "change_channel"}
