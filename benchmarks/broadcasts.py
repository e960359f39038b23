"""Whole broadcasts to a channel, roster and all: `python -m benchmarks.broadcasts 1000`.

For each line of input, a turn of them: prints what it took, as a line of JSON.
"""

import json
import resource
import sys

import django
from django.conf import settings

from benchmarks import process

DELIVERIES = 20_000
"""A turn has at least so many; small channels are sent to again and again."""


def main(members: str) -> None:
    settings.configure(WS_LAMBDA={"TABLE_PREFIX": "bench_", "FANOUT_MAX_RPS": 0})
    django.setup()
    from ws_lambda import delivery

    count = int(members)

    def send() -> None:
        report = delivery.send(delivery.ChannelMembers("general"), {"type": "tick"}, on_gone=lambda _gone: None)
        assert report.sent == count, report

    for _ in range(max(1, 2_000 // count)):
        send()
    rounds = max(1, DELIVERIES // count)
    for _line in sys.stdin:
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(rounds):
            send()
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"cpu_us": cpu / (rounds * count) * 1e6, "peak_mb": process.peak_mb()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
