"""What a connection costs DynamoDB, step by step: the request units that docs/deploy.md counts with.

`python -m benchmarks.life_cost` lets a user of the test project log in, connect, talk and leave, on dynoxide, which
tells the units of each request as DynamoDB does.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["WS_LAMBDA_TEST_ENGINE"] = "dynoxide"
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

from benchmarks.prune_probe import Counting
from tests import engines

Units = Counter[str]


@contextmanager
def counted(counting: Counting, steps: dict[str, Units], name: str) -> Iterator[None]:
    """Notes the units of a block under a name."""
    counting.units.clear()
    counting.requests.clear()
    yield
    steps[name] = Counter(counting.units)
    steps[name]["requests"] = counting.requests["dynamodb"]


def live() -> dict[str, Units]:
    """The steps of a connection's life, with the units of each. The first connection of all warms the process up."""
    from django.contrib.auth import get_user_model
    from django.test import Client, override_settings

    from ws_lambda import aws
    from ws_lambda.models import ChannelMessage
    from ws_lambda.testing import InProcessGateway, WebSocketTestClient, tables

    counting, steps = Counting(), dict[str, Units]()
    counting.listen(aws.session())
    kept = override_settings(WS_LAMBDA={"HISTORY": {"general": (50, 3600)}})
    with kept, tables(), InProcessGateway() as gateway:
        get_user_model().objects.create_user("ann", password="secret")
        browser = Client()
        assert browser.login(username="ann", password="secret")
        for _connection in range(2):
            with counted(counting, steps, "token"):
                token = browser.post("/api/ws-token/").json()["token"]
            with counted(counting, steps, "connect"):
                socket = WebSocketTestClient(token=token, channel="general").connect()
            with counted(counting, steps, "message"):
                socket.send_json({"action": "chat"})
            gateway.advance(61)
            with counted(counting, steps, "message that reads the user again"):
                socket.send_json({"action": "chat"})
            with counted(counting, steps, "history, a message of 200 bytes"):
                ChannelMessage.append("general", {"text": "x" * 200})
            with counted(counting, steps, "disconnect"):
                socket.disconnect()
    return steps


def main() -> None:
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engines.endpoint()
    django.setup()
    print("| step | requests | write units | read units |\n|---|---|---|---|")
    for name, units in live().items():
        print(f"| {name} | {units['requests']} | {units['write']:g} | {units['read']:g} |")


if __name__ == "__main__":
    main()
