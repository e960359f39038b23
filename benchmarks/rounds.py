"""The test kit: how long rounds of connect, send, receive and disconnect take on moto. Prints JSON."""

import json
import sys
import time

import django
from django.conf import settings
from django.contrib.auth import get_user_model

from ws_lambda.testing import InProcessGateway, WebSocketTestClient, tables


def main(rounds: int) -> None:
    django.setup()
    settings.WS_LAMBDA = {**settings.WS_LAMBDA, "CONNECTS_PER_MINUTE": 10 * rounds}
    with tables(), InProcessGateway(api_id="local"):
        user = get_user_model().objects.create_user("alice", password="secret")
        started = time.perf_counter()
        for number in range(rounds):
            client = WebSocketTestClient(user=user, channel="general").connect()
            client.send_json({"action": "chat", "message": number})
            assert client.receive_json() == {"said": number}
            client.disconnect()
        seconds = time.perf_counter() - started
    print(json.dumps({"rounds": rounds, "seconds": round(seconds, 2)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
