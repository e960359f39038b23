"""Our own gateway as the target: the real server on a free port, in a thread of this process."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conformance.function import run
from tests.conformance.target import PATIENCE, DeployedApi, Shape
from ws_lambda.local.api_definition import Api, Event, Route
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.errors import IntegrationError
from ws_lambda.local.gateway_clock import SystemClock
from ws_lambda.local.integration_lambda import LambdaIntegration
from ws_lambda.local.server import Server
from ws_lambda.local.supervisor import listen

STAGE = API_ID = "local"


@contextmanager
def deployed(shape: Shape, folder: Path) -> Iterator[DeployedApi]:
    """An API of this shape, served until the block ends."""
    listening = listen(0)
    host = "{}:{}".format(*listening.getsockname())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    events_file = folder / f"{shape.name}.jsonl"
    try:
        server = asyncio.run_coroutine_threadsafe(_serve(shape, listening, host, events_file), loop).result(PATIENCE)
        path = server.gateway.api.path
        yield DeployedApi(
            url=f"ws://{host}{path}", endpoint=f"http://{host}{path}", events_file=events_file,
            api_id=API_ID, stage=STAGE, domain_name=shape.domain or host,
        )  # fmt: skip
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(shape: Shape, listening: socket.socket, host: str, events_file: Path) -> Server:
    async def invoke(event: Event) -> object:
        try:
            return await asyncio.to_thread(run, event, str(events_file))
        except Exception as error:
            raise IntegrationError(str(error)) from error

    integration = LambdaIntegration(invoke)
    routes = {key: Route(integration=integration, replies=replies) for key, replies in shape.routes.items()}
    api = Api(
        api_id=API_ID, stage=STAGE, domain_name=shape.domain or host, mapping=shape.mapping, routes=routes,
        route_selection_expression=shape.expression,
    )  # fmt: skip
    server = Server(Gateway(api, clock=SystemClock()), {"local": "local"})
    await server.start(listening)
    return server
