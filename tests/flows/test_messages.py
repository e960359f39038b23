"""docs/contract.md 1–12: a message, from the event to the answer."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.http import HttpResponse, JsonResponse

from tests import backends
from tests.urls import ChatView
from ws_lambda import clock
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import decode_answer, disconnect_event, invoke, message_event
from ws_lambda.views import WebSocketView

pytestmark = pytest.mark.usefixtures("still")


def session():
    return WebSocketSession.get("C1=", consistent_read=True)


@pytest.mark.parametrize("body", ["[1,2]", '"x"', "5", "null", "", "{", "[" * 50_000, '{"a": NaN}', "1" * 5000])
def test_1_a_body_that_is_no_json_object(c1, body, caplog):
    status, said = decode_answer(invoke(message_event(body)))
    assert (status, said["message"]) == (400, "Invalid request format")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert mail.outbox == []


def test_1_bad_utf8(c1):
    event = message_event("/w==") | {"isBase64Encoded": True}
    assert decode_answer(invoke(event))[0] == 400


def test_2_a_body_over_the_limit_and_one_just_under_it(c1, use_view):
    class Small(ChatView):
        MAX_BODY_SIZE = 64

        def chat(self, request, *args, **kwargs):
            return {"handler": "chat"}

    use_view(Small)
    frame = json.dumps({"action": "chat", "pad": ""})
    assert decode_answer(invoke(message_event(frame.replace('""', f'"{"x" * (65 - len(frame))}"'))))[0] == 413
    assert decode_answer(invoke(message_event(frame.replace('""', f'"{"x" * (64 - len(frame))}"')))) == (
        200,
        {"handler": "chat"},
    )


def test_3_neither_key_runs_default_if_the_subclass_defines_it(c1, use_view):
    assert decode_answer(invoke(message_event({"a": 1})))[1] == {"handler": "default"}

    class NoDefault(WebSocketView):
        def chat(self, request, *args, **kwargs):
            return {}

    use_view(NoDefault)
    status, said = decode_answer(invoke(message_event({"a": 1})))
    assert (status, said["message"]) == (400, "Invalid request format")


@pytest.mark.parametrize(
    ("body", "ran"),
    [
        ({"action": "chat"}, "chat"),
        ({"handler": "chat", "action": "default"}, "chat"),
        ({"handler": "default", "action": "chat"}, "default"),
        ({"handler": "_private", "action": "chat"}, "chat"),
        ({"handler": "_callable_names"}, "default"),
        ({"action": "connect"}, "default"),
        ({"action": "can_join_channel"}, "default"),
        ({"action": "change_channel"}, "default"),
        ({"handler": 5}, "default"),
        ({"handler": ["chat"]}, "default"),
        ({"handler": None}, "default"),
        ({"handler": ""}, "default"),
        ({"handler": {"chat": 1}}, "default"),
    ],
)
def test_4_5_6_which_handler_runs(c1, body, ran):
    status, said = decode_answer(invoke(message_event(body)))
    assert (status, said["handler"]) == (200, ran)


@pytest.mark.parametrize("name", [5, ["chat"], None, "", "nothing", "connect"])
def test_6_unknown_action_without_a_default(c1, use_view, name):
    class NoDefault(WebSocketView):
        def chat(self, request, *args, **kwargs):
            return {}

    use_view(NoDefault)
    status, said = decode_answer(invoke(message_event({"handler": name})))
    assert (status, said["message"]) == (400, "Unknown action")


def test_7_a_custom_route_names_its_method(c1):
    assert decode_answer(invoke(message_event({"text": "hi"}, routeKey="chat")))[1]["handler"] == "chat"
    assert decode_answer(invoke(message_event({"text": "hi"}, routeKey="other")))[1]["handler"] == "default"


class Answers(WebSocketView):
    def nothing(self, request, *args, **kwargs):
        return None

    def json(self, request, *args, **kwargs):
        return JsonResponse({"b": 2}, status=201)

    def binary(self, request, *args, **kwargs):
        return HttpResponse(b"\xff")

    def raises(self, request, *args, **kwargs):
        raise KeyError("boom")

    def raises_otherwise(self, request, *args, **kwargs):
        raise ValueError("bang")

    def wrong(self, request, *args, **kwargs):
        return 5


def test_8_what_a_handler_may_return(c1, use_view):
    use_view(Answers)
    assert decode_answer(invoke(message_event({"action": "nothing"}))) == (200, {})
    assert decode_answer(invoke(message_event({"action": "json"}))) == (201, {"b": 2})
    binary = invoke(message_event({"action": "binary"}))
    assert (binary["body"], binary["isBase64Encoded"]) == ("/w==", True)


def test_8_a_handler_that_raises(c1, use_view, admins, caplog, monkeypatch):
    use_view(Answers)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    for _ in range(3):
        response = invoke(message_event({"action": "raises", "secret": "s3cret-body"}, requestId="R1="))
        assert response["statusCode"] == 500
        assert response["body"] == '{"message": "Internal server error", "connectionId":"C1=", "requestId":"R1="}'
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.request_id for record in errors] == ["R1="] * 3
    assert len(mail.outbox) == 1
    invoke(message_event({"action": "raises_otherwise"}))
    assert len(mail.outbox) == 2
    monkeypatch.setattr(clock, "now", lambda: now + 61)
    invoke(message_event({"action": "raises"}))
    assert len(mail.outbox) == 3
    assert "s3cret-body" not in caplog.text + "".join(one.body for one in mail.outbox)
    assert session().connected


def test_8_a_mail_that_cannot_be_sent_changes_no_answer(c1, use_view, admins, caplog, monkeypatch):
    def fail(*_args):
        raise RuntimeError("the mail service of the project has errors of its own")

    use_view(Answers)
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
    response = invoke(message_event({"action": "raises"}))
    assert (response["statusCode"], response["body"][:37]) == (500, '{"message": "Internal server error", ')
    assert "raises raised" in caplog.text
    assert "could not be sent" in caplog.text


def test_8_a_result_of_no_use_is_an_error_of_the_handler(c1, use_view, caplog):
    use_view(Answers)
    assert invoke(message_event({"action": "wrong"}))["statusCode"] == 500
    assert "TypeError" in caplog.text


@pytest.mark.parametrize("where", [{"connection_id": "C2="}, {"apiId": "other"}])
def test_9_unknown_or_other_gateways_connection(c1, where):
    status, said = decode_answer(invoke(message_event({"action": "chat"}, **where)))
    assert (status, said["message"]) == (400, "Invalid connection ID")
    assert session().request_count == 0


def test_9_closed_connection(c1):
    invoke(disconnect_event())
    assert decode_answer(invoke(message_event({"action": "chat"})))[1]["message"] == "Invalid connection ID"
    assert session().request_count == 0


def test_10_every_message_counts_one_whatever_becomes_of_it(c1):
    for body in ({"action": "chat"}, "[", {"handler": "connect"}):
        invoke(message_event(body))
    assert session().request_count == 3


def test_10_also_when_they_come_at_once(c1):
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _n: invoke(message_event({"action": "default"}))["statusCode"], range(40)))
    assert codes == [200] * 40
    assert session().request_count == 40


def test_a_message_costs_one_request_and_no_user(c1, ws_requests, use_view):
    class Quiet(WebSocketView):
        def chat(self, request, *args, **kwargs):
            return {}

    use_view(Quiet)
    backends.DictBackend.reads = 0
    invoke(message_event({"action": "chat"}))
    assert ws_requests == ["UpdateItem"]
    assert backends.DictBackend.reads == 0


def test_11_the_user_is_the_sessions(c1):
    assert decode_answer(invoke(message_event({"action": "chat"})))[1]["user"] == "user7"


@pytest.mark.usefixtures("everyone_open")
@pytest.mark.parametrize("how", ["deactivated", "password", "gone"])
def test_11_a_user_who_may_no_longer(c1, user, how, monkeypatch):
    later = clock.now() + 61
    if how == "deactivated":
        user.is_active = False
    elif how == "password":
        user.set_password("another")
    else:
        backends.people.clear()
    assert decode_answer(invoke(message_event({"action": "chat"})))[0] == 200, "asked once a minute only"
    monkeypatch.setattr(clock, "now", lambda: later)
    assert decode_answer(invoke(message_event({"action": "chat"})))[0] == 400
    assert not session().connected


def test_11_the_user_is_read_again_once_in_an_interval(c1, monkeypatch):
    start = clock.now()
    backends.DictBackend.reads = 0
    reads = []
    for offset in (1, 61, 62, 119, 121, 500, 501):
        monkeypatch.setattr(clock, "now", lambda offset=offset: start + offset)
        invoke(message_event({"action": "default"}))
        reads.append(backends.DictBackend.reads)
    assert reads == [0, 1, 1, 1, 2, 3, 3]


def test_12_permissions(c1, use_view, user):
    class Some(ChatView):
        permissions_required = ("chat.a", "chat.b")

        def chat(self, request, *args, **kwargs):
            return {}

    class All(ChatView):
        permissions_required = ("chat.a",)
        all_permissions_required = ("chat.a", "chat.b")

        def chat(self, request, *args, **kwargs):
            return {}

    def status(view):
        use_view(view)
        return decode_answer(invoke(message_event({"action": "chat"})))

    assert status(Some)[0] == 403
    assert status(Some)[1]["message"] == "Permission Denied"
    backends.permissions["7"] = {"chat.a"}
    assert (status(Some)[0], status(All)[0]) == (200, 403)
    backends.permissions["7"] = {"chat.a", "chat.b"}
    assert status(All)[0] == 200
