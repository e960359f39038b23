"""Builds the local API and its server, and creates tables and accounts."""

from collections.abc import Awaitable, Callable, Mapping

from ws_lambda.local.api_definition import Api
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.gateway_clock import SystemClock
from ws_lambda.local.http_client import HttpClient
from ws_lambda.local.invoke_client import WorkerFunction
from ws_lambda.local.live_page_data import project
from ws_lambda.local.project_routes import http_routes, lambda_routes
from ws_lambda.local.run_options import ACCESS_KEY, API_ID, QUEUE, QUEUE_PATH, REGION, STAGE, RunOptions
from ws_lambda.local.server import Server
from ws_lambda.local.sqs import LocalQueue


def make_server(
    options: RunOptions, domain_name: str, site: str, invoke_path: str, environment: Mapping[str, str]
) -> tuple[Server, Callable[[], Awaitable[None]]]:
    """A server for the API that a deployment would create, and a coroutine function that closes its connections."""
    function, http = WorkerFunction(invoke_path), HttpClient()
    routes = http_routes(site, http) if options.integration == "http" else lambda_routes(function)
    gateway = Gateway(
        Api(api_id=API_ID, stage=STAGE, domain_name=domain_name, routes=routes),
        clock=SystemClock(options.speed),
        options=options.options,
        quotas=options.quotas,
        faults=options.faults,
        seed=options.seed,
    )
    keys = {ACCESS_KEY: environment["AWS_SECRET_ACCESS_KEY"]}
    server = Server(gateway, keys, project(site, environment))
    queue = LocalQueue(function, name=QUEUE, region=REGION)
    queue.mount(server.app, QUEUE_PATH, keys)
    server.app.on_startup.append(lambda _app: queue.start())

    async def close() -> None:
        await queue.stop()
        await function.close()
        await http.close()

    return server, close


def prepare() -> None:
    """Creates the missing tables, then the missing accounts."""
    from ws_lambda.local.accounts import configured, create
    from ws_lambda.models import all_tables

    for table in all_tables():
        table.create_table(billing_mode="PAY_PER_REQUEST", wait=True)  # nothing happens where it exists
    if configured():
        create()
