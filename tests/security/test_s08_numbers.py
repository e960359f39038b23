"""S8: numbers that JSON does not allow get 400 in a message, and are an error in an answer. docs/contract.md 41."""

import math
from dataclasses import dataclass

import pytest
from django.http import HttpResponse, JsonResponse

from tests.urls import ChatView
from ws_lambda.models import ChannelMessage, WebSocketSession
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event, mint_token
from ws_lambda.views import handler

pydantic = pytest.importorskip("pydantic")
pytestmark = pytest.mark.usefixtures("ws_tables", "still")

NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 400, "9" * 5000]


class Price(pydantic.BaseModel):
    amount: float
    more: list["Price"] = []


@dataclass
class Point:
    x: float


class Counting(ChatView):
    def echo(self, request, *args, **kwargs):
        return {"got": self.body["n"]}

    @handler(schema=Price)
    def price(self, request, *args, **kwargs):
        return {"amount": self.data.amount}

    @handler(schema=Point)
    def point(self, request, *args, **kwargs):
        return {"x": self.data.x}

    def overflow(self, request, *args, **kwargs):
        return {"value": 1e308 * 10}

    def nested(self, request, *args, **kwargs):
        return {"rows": [{"value": math.nan}]}

    def whole(self, request, *args, **kwargs):
        return {"value": 10**400}

    def response(self, request, *args, **kwargs):
        return JsonResponse({"value": math.inf})

    def text(self, request, *args, **kwargs):
        return HttpResponse('{"value": 1e400}', content_type="application/json; charset=utf-8")

    def plain(self, request, *args, **kwargs):
        return HttpResponse("NaN", content_type="text/plain")

    def word(self, request, *args, **kwargs):
        return JsonResponse({"value": "NaN, Infinity, 1e400"})


@pytest.fixture
def client(user, use_view):
    use_view(Counting)
    invoke(connect_event(token=mint_token(user)))


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_no_number_comes_in(client, number):
    for body in (f'{{"action": "echo", "n": {number}}}', f'{{"action": "echo", "n": [{{"deep": {number}}}]}}'):
        assert decode_answer(invoke(message_event(body)))[1]["message"] == "Invalid request format"


@pytest.mark.parametrize("number", ["1e308", "9" * 308, "-0.0"])
def test_a_large_number_does(client, number):
    assert invoke(message_event(f'{{"action": "echo", "n": {number}}}'))["statusCode"] == 200


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "1e400"])
def test_nor_as_a_string_that_a_schema_would_read_as_one(client, text):
    status, said = decode_answer(invoke(message_event({"action": "price", "amount": text})))
    assert (status, said["message"]) == (400, "Invalid or missing: amount")
    status, said = decode_answer(invoke(message_event({"action": "price", "amount": 1, "more": [{"amount": text}]})))
    assert (status, said["message"]) == (400, "Invalid or missing: more")
    assert invoke(message_event({"action": "point", "x": text}))["statusCode"] == 400
    assert invoke(message_event({"action": "price", "amount": "1e3"}))["statusCode"] == 200


@pytest.mark.parametrize("name", ["overflow", "nested", "whole", "response", "text"])
def test_none_goes_out_in_a_reply(client, caplog, name):
    status, said = decode_answer(invoke(message_event({"action": name})))
    assert (status, said["message"]) == (500, "Internal server error")
    assert f"Counting.{name} raised InvalidNumber" in caplog.text
    assert WebSocketSession.get("C1=").connected


@pytest.mark.parametrize(("name", "body"), [("plain", "NaN"), ("word", '{"value": "NaN, Infinity, 1e400"}')])
def test_text_is_no_number(client, name, body):
    assert invoke(message_event({"action": name})) == {"statusCode": 200, "body": body}


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400])
def test_nor_in_a_message_or_a_channel_s_history(client, settings, value):
    settings.WS_LAMBDA = {"HISTORY": {"*": (5, 60)}}
    session = WebSocketSession.get("C1=")
    with pytest.raises(ValueError):
        session.send_message({"value": value})
    with pytest.raises(ValueError):
        WebSocketSession.objects.filter(connected=True).send_message({"value": value})
    with pytest.raises(ValueError):
        ChannelMessage.append("general", {"value": value})
    assert not list(ChannelMessage.scan())
