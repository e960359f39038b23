"""The sender of the crowd's message: `python -m benchmarks.crowd_sender ENDPOINT < ids`. Prints one line of JSON."""

import json
import sys
import time

from django.conf import settings

from benchmarks.sections.sockets import MESSAGE


def main(endpoint: str) -> None:
    settings.configure(WS_LAMBDA={"FANOUT_MAX_RPS": 10_000})
    from ws_lambda import delivery
    from ws_lambda.delivery.dispatch import Dispatch

    ids = json.load(sys.stdin)
    rounds: list[Dispatch] = []
    listed = [delivery.Recipient(one, endpoint, 1) for one in ids]
    started = time.monotonic()
    report = delivery.send(
        delivery.Listed(listed), MESSAGE, on_gone=lambda _gone: None, progress=lambda one: rounds.append(one)
    )
    assert report.sent == len(ids), report
    print(json.dumps({"started": started, "seconds": report.seconds, "throttled": rounds[-1].retried}))


if __name__ == "__main__":
    main(sys.argv[1])
