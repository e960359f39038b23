"""One invocation of the function in a process of its own, so that it can be killed.

Reads an SQS event as JSON from standard input, and writes the function's answer to standard output.
"""

import json
import os
import sys

import django
from django.conf import settings


def main() -> None:
    given = json.loads(os.environ["FANOUT_PROCESS"])
    settings.WS_LAMBDA = given["settings"]
    django.setup()
    from ws_lambda import fanout
    from ws_lambda.delivery import reading
    from ws_lambda.fanout import job_progress
    from ws_lambda.testing import LambdaContext

    job_progress.LEASE, reading.TIMEOUT = given["lease"], given["page"]
    context = LambdaContext("fanout-process", given["seconds"])
    sys.stdout.write(json.dumps(fanout.handle(json.load(sys.stdin), context)))


if __name__ == "__main__":
    main()
