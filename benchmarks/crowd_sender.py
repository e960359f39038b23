"""The sender of the crowd's message: `python -m benchmarks.crowd_sender ENDPOINT < ids`. Prints one line of JSON."""

import json
import sys
import time

from django.conf import settings

from benchmarks.sections.sockets import MESSAGE


def main(endpoint: str) -> None:
    settings.configure(WS_LAMBDA={"FANOUT_MAX_RPS": 10_000})
    from ws_lambda import delivery

    ids = json.load(sys.stdin)
    told: list[delivery.Progress] = []
    listed = [delivery.Recipient(one, endpoint, 1) for one in ids]
    started = time.monotonic()
    report = delivery.send(delivery.Listed(listed), MESSAGE, on_gone=lambda _gone: None, progress=told.append)
    assert report.sent == len(ids), report
    print(json.dumps({"started": started, "seconds": report.seconds, "throttled": told[-1].retried}))


if __name__ == "__main__":
    main(sys.argv[1])
