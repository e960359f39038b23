"""The local gateway with 10 ms of latency and AWS's request quota, in a process of its own; without a function.

`python -m benchmarks.gateway` prints its port; for each line of input, the ids of all open connections as JSON.
"""

import asyncio
import json
import socket
import sys

import django
from django.conf import settings

STAGE = "production"
KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
LATENCY = 0.010


async def main() -> None:
    from ws_lambda.local.api_definition import Api
    from ws_lambda.local.emulator import Gateway
    from ws_lambda.local.fault_injection import Faults
    from ws_lambda.local.gateway_clock import SystemClock
    from ws_lambda.local.quotas import Quotas
    from ws_lambda.local.server import Server

    # A connect costs a request too, and the crowd is not what is measured: it may come in as fast as it can.
    gateway = Gateway(
        Api(api_id="bench", stage=STAGE, domain_name="localhost", routes={}),
        clock=SystemClock(),
        quotas=Quotas(connects_per_second=1e9),
        faults=Faults(latency=(LATENCY, LATENCY)),
    )
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    await Server(gateway, KEYS).start(listening)
    print(listening.getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps([one.connection_id for one in gateway.pool]), flush=True)


if __name__ == "__main__":
    settings.configure()
    django.setup()
    asyncio.run(main())
