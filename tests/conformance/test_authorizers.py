"""Lambda REQUEST authorizers, and request models."""

import pytest

from tests.conformance.core import Bench, ours
from tests.conformance.facts import fact
from ws_lambda.local.authorizer import Authorizer

pytestmark = ours


def policy(effect, **more):
    return {"principalId": "me", "policyDocument": {"Statement": [{"Effect": effect}]}, **more}


def with_authorizer(answer, *sources):
    async def function(event):
        seen.append(event)
        return answer

    seen = []
    bench = Bench(routes={"$connect": {"authorizer": Authorizer(function=function, identity_sources=sources)}})
    return bench, seen


@fact("D", "authorizer: a missing identity source is a 401, and nobody is asked")
@pytest.mark.parametrize("source", ["route.request.header.X-Key", "route.request.querystring.key"])
def test_identity_missing(source):
    bench, seen = with_authorizer(policy("Allow"), source)
    assert bench.try_connect().status == 401
    assert (seen, bench.events) == ([], [])


@fact("D", "authorizer: a policy that denies is a 403, and the function is not asked")
@pytest.mark.parametrize("answer", [policy("Deny"), {}, None, {"policyDocument": {"Statement": []}}])
def test_denied(answer):
    bench, _ = with_authorizer(answer)
    assert bench.try_connect().status == 403
    assert bench.events == []


@fact("R", "authorizer: its context, principalId and integrationLatency are in every event of the connection")
def test_context():
    answer = policy("Allow", context={"tenant": "t1"})
    bench, seen = with_authorizer(answer, "route.request.header.X-Key", "route.request.querystring.key")
    connection, _ = bench.connect("key=1", **{"X-Key": "k"})
    bench.send(connection, "x")
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(0)
    wanted = {"tenant": "t1", "principalId": "me", "integrationLatency": 0}
    assert [one["requestContext"]["authorizer"] for one in bench.events] == [wanted] * 3
    assert seen[0]["type"] == "REQUEST"
    assert seen[0]["methodArn"].endswith(":a/s/$connect")


@fact("D", "validation: a body that fits not the route's model is 'Bad request body'")
def test_request_model():
    def is_chat(body):
        return isinstance(body, dict) and "text" in body

    bench = Bench(routes={"chat": {"accepts": is_chat}})
    connection, inbox = bench.connect()
    bench.send(connection, {"action": "chat", "text": "hi"})
    assert not inbox.messages
    bench.send(connection, {"action": "chat"})
    assert '"message": "Bad request body"' in inbox.messages.pop()
    assert len(bench.contexts("MESSAGE")) == 1
