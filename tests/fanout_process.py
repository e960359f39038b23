"""One invocation of the function in a process of its own, so that it can be killed.

Reads an SQS event as JSON from standard input, and writes the function's answer to standard output.
"""

import json
import os
import sys
import time

import django
from django.conf import settings


class Context:
    """Lambda's context object, with so many seconds left."""

    function_name = "fanout-process"

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends - time.monotonic()) * 1000)


def main() -> None:
    given = json.loads(os.environ["FANOUT_PROCESS"])
    settings.WS_LAMBDA = given["settings"]
    django.setup()
    from ws_lambda import fanout
    from ws_lambda.delivery import reading
    from ws_lambda.fanout import job_progress

    job_progress.LEASE, reading.TIMEOUT = given["lease"], given["page"]
    sys.stdout.write(json.dumps(fanout.handle(json.load(sys.stdin), Context(given["seconds"]))))


if __name__ == "__main__":
    main()
