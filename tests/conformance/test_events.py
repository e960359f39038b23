"""The Lambda proxy events, shape by shape."""

import re

from tests.conformance.facts import fact
from tests.conformance.target import PATIENCE, wait_for

CONTEXT = {
    "routeKey", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage", "connectedAt",
    "requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId",
}  # fmt: skip


@fact("R", "events: CONNECT has headers, query and context, and no body")
def test_connect_shape(api):
    with api.open(query=[("channel", "general")]) as client:
        event = client.connect_event
    assert set(event) == {
        "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters",
        "requestContext", "isBase64Encoded",
    }  # fmt: skip
    assert event["queryStringParameters"]["channel"] == "general"
    assert event["multiValueQueryStringParameters"]["channel"] == ["general"]
    assert event["isBase64Encoded"] is False


@fact("R", "events: the context of CONNECT")
def test_connect_context(api):
    with api.open() as client:
        context = client.connect_event["requestContext"]
    assert set(context) == CONTEXT
    assert (context["routeKey"], context["eventType"], context["messageDirection"]) == ("$connect", "CONNECT", "IN")
    assert (context["apiId"], context["stage"]) == (api.api_id, api.stage)
    assert context["domainName"] == api.domain_name
    assert re.fullmatch(r"\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000", context["requestTime"])
    assert context["requestTimeEpoch"] >= context["connectedAt"] > 1_600_000_000_000


@fact("R", "events: headers of CONNECT are the client's and the gateway's own, each also as a list")
def test_connect_headers(api):
    with api.open(origin="https://www.example.com", additional_headers={"Cookie": "a=b"}) as client:
        event = client.connect_event
    headers = event["headers"]
    assert headers["Origin"] == "https://www.example.com"
    assert headers["Cookie"] == "a=b"
    assert headers["Host"] == api.domain_name
    assert headers["Sec-WebSocket-Version"] == "13"
    assert headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert {"Sec-WebSocket-Key", "User-Agent", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"} <= set(
        headers
    )
    assert not {"Connection", "Upgrade"} & set(headers)
    assert event["multiValueHeaders"] == {name: [value] for name, value in headers.items()}


@fact("X", "events: without a query there are no query maps")
def test_no_query_no_maps(api):
    from websockets.sync.client import connect

    with connect(api.url, compression=None, user_agent_header="no-query") as socket:
        socket.send('{"action": "chat"}')
        socket.recv(timeout=PATIENCE)
    event = next(one for one in api.events() if one.get("headers", {}).get("User-Agent") == "no-query")
    assert "queryStringParameters" not in event
    assert "multiValueQueryStringParameters" not in event


@fact("R", "events: identity has a userAgent only if the client sent one")
def test_user_agent_only_if_sent(api):
    with api.open(user_agent_header="curl/8") as client:
        assert client.connect_event["requestContext"]["identity"]["userAgent"] == "curl/8"
    with api.open(user_agent_header=None) as client:
        assert set(client.connect_event["requestContext"]["identity"]) == {"sourceIp"}


@fact("R", "events: identity's sourceIp is the client's address")
def test_source_ip(api):
    with api.open() as client:
        assert client.connect_event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


@fact("R", "events: MESSAGE has a body and neither headers nor query")
def test_message_shape(api):
    with api.open(query=[("channel", "general")]) as client:
        event = client.ask({"action": "chat", "text": "ü"})
    assert set(event) == {"requestContext", "body", "isBase64Encoded"}
    assert event["body"] == '{"action": "chat", "text": "\\u00fc"}'
    assert event["isBase64Encoded"] is False


@fact("R", "events: MESSAGE has a messageId, which is not its requestId")
def test_message_context(api):
    with api.open() as client:
        context = client.ask({"action": "chat"})["requestContext"]
        connected = client.connect_event["requestContext"]
    assert set(context) == CONTEXT | {"messageId"}
    assert context["messageId"] != context["requestId"]
    assert (context["eventType"], context["routeKey"]) == ("MESSAGE", "chat")
    assert context["connectionId"] == connected["connectionId"]
    assert context["connectedAt"] == connected["connectedAt"]


@fact("R", "events: DISCONNECT has exactly four headers, three of them empty")
def test_disconnect_headers(api):
    with api.open() as client:
        client.connect_event  # noqa: B018 - the id is needed once the socket is closed
    event = wait_for(lambda: client.events("DISCONNECT"))[0]
    assert event["headers"] == {"Host": api.domain_name, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}


@fact("R", "events: DISCONNECT has a code, a reason and no body")
def test_disconnect_context(api):
    with api.open() as client:
        assert client.connection_id
    event = wait_for(lambda: client.events("DISCONNECT"))[0]
    context = event["requestContext"]
    assert set(context) == CONTEXT | {"disconnectStatusCode", "disconnectReason"}
    assert context["routeKey"] == "$disconnect"
    assert "body" not in event


@fact("D", "events: requestId equals extendedRequestId")
def test_request_ids(api):
    with api.open() as client:
        events = [client.connect_event, client.ask({"action": "chat"})]
    events += wait_for(lambda: client.events("DISCONNECT"))
    contexts = [event["requestContext"] for event in events]
    assert [one["requestId"] for one in contexts] == [one["extendedRequestId"] for one in contexts]
    assert len({one["requestId"] for one in contexts}) == 3


@fact("R", "events: a connection id is 15 characters of base64 and one =")
def test_connection_id(api):
    with api.open() as client:
        assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", client.connection_id)
