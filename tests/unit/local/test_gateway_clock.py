"""Time that is moved by hand, and time that runs faster."""

import asyncio

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ws_lambda.local.api_definition import Api
from ws_lambda.local.connections_api import ConnectionsApi
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.errors import IntegrationTimedOut
from ws_lambda.local.gateway_clock import SystemClock, VirtualClock
from ws_lambda.local.sigv4 import Request


def test_jobs_run_at_their_own_moment_in_order():
    clock, ran = VirtualClock(1_000.0), []

    def note(name):
        async def job():
            ran.append((name, clock.now()))

        return job

    clock.call_later(20, note("later"))
    clock.call_later(10, note("sooner"))
    clock.call_later(10, note("as soon"))
    clock.advance(15)
    assert ran == [("sooner", 1_010), ("as soon", 1_010)]
    clock.advance(5)
    assert ran[-1] == ("later", 1_020)


def test_a_coroutine_that_waits_for_the_outside_world_is_an_error():
    class Outside:
        def __await__(self):
            yield

    async def waits():
        await Outside()

    with pytest.raises(RuntimeError, match="outside"):
        VirtualClock().run(waits())


def test_a_fast_clock():
    async def test():
        clock = SystemClock(speed=10_000)
        before, done = clock.now(), asyncio.Event()

        async def job():
            done.set()

        clock.call_later(60, job)
        await asyncio.wait_for(done.wait(), 10)
        assert clock.now() - before >= 60
        clock.call_later(1e9, job)
        await clock.finish()

    asyncio.run(test())


def test_the_function_is_not_sped_up_but_is_timed():
    async def test():
        with pytest.raises(IntegrationTimedOut):
            await SystemClock().limit(0.01, asyncio.sleep(30))
        assert await SystemClock(speed=1_000).limit(5, asyncio.sleep(0.01, "done")) == "done"

    asyncio.run(test())


def test_a_signature_by_the_real_clock_is_valid_for_a_faster_gateway():
    async def ask():
        gateway = Gateway(Api(api_id="a", stage="s", domain_name="a", routes={}), clock=SystemClock(speed=1e9))
        request = AWSRequest("GET", "http://a/s/@connections/nobody=")
        SigV4Auth(Credentials("key", "secret"), "execute-api", "eu-west-1").add_auth(request)
        headers = (("Host", "a"), *request.headers.items())
        return await ConnectionsApi(gateway, {"key": "secret"}).answer(
            Request(method="GET", raw_path="/s/@connections/nobody=", headers=headers)
        )

    assert asyncio.run(ask()).status == 410
