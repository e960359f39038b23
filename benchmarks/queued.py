"""One job of the fan-out queue, worked off: `python -m benchmarks.queued 20000 0.3 http://127.0.0.1:8080/production`.

Prints how long it took as often as it was done, in turn with the real closing of who is gone and with none. DynamoDB is
dynoxide, another process on the same machine; with `prompt` as the last argument, what `prompt_dynamodb` makes of it.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from benchmarks import process

TURNS = 2
"""Of either, of which the shortest counts: whatever else the machine does only adds."""

CHANNEL, CONNECTED_AT = "crowd", "1700000000000"


def main(members: int, share_gone: float, endpoint_url: str, prompt: bool) -> None:
    os.environ |= {"WS_LAMBDA_TEST_ENGINE": "dynoxide"}
    from tests import engines

    url = engines.endpoint()
    with process.talking("benchmarks.prompt_dynamodb", url) if prompt else nullcontext() as other:
        os.environ |= {"AWS_ENDPOINT_URL_DYNAMODB": other.line() if other else url}
        print(json.dumps(_measured(members, share_gone, endpoint_url, prompt)))


def _measured(members: int, share_gone: float, endpoint_url: str, prompt: bool) -> dict[str, float]:
    import django

    django.setup()
    from ws_lambda.models import ChannelMembership, FanoutJob, WebSocketSession

    for model in (ChannelMembership, FanoutJob, WebSocketSession):
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    fill(range(members), share_gone, endpoint_url)
    taken: dict[str, list[float]] = {"without": [], "with": []}
    for turn in range(TURNS):
        for way, seconds in taken.items():
            seconds.append(work_off(f"{way}-{turn}", members, share_gone, closing=way == "with", prompt=prompt))
        if not prompt:
            fill([number for number in range(members) if is_gone(number, share_gone)], share_gone, endpoint_url)
    return {way: min(seconds) for way, seconds in taken.items()}


def is_gone(number: int, share_gone: float) -> bool:
    """Whether the far side does not know this one."""
    return number % 100 < share_gone * 100


def fill(numbers: Iterable[int], share_gone: float, endpoint_url: str) -> None:
    """Makes them members; who is gone has a session that is open still. The far side knows the gone by their ids."""
    from tests.engines import put_many
    from ws_lambda.models import ChannelMembership, WebSocketSession

    common = {"endpoint_url": {"S": endpoint_url}, "api_id": {"S": "abc123"}, "connected_at": {"N": CONNECTED_AT}}
    session = {
        **common,
        "connected": {"BOOL": True},
        "live_shard": {"S": "0"},
        "channels": {"SS": [CHANNEL]},
        "last_seen_at": {"N": CONNECTED_AT},
        "expires_at": {"N": "4000000000"},
    }
    rows, sessions = list[dict[str, Any]](), list[dict[str, Any]]()
    for number in numbers:
        gone = is_gone(number, share_gone)
        one = {"S": f"C{number * 7919 % 100_000:05}" + ("G=" if gone else "x=")}
        rows.append({"channel": {"S": CHANNEL}, "connection_id": one, **common})
        if gone:
            sessions.append({**session, "connection_id": one})
    put_many(ChannelMembership.Meta.table_name, rows)
    put_many(WebSocketSession.Meta.table_name, sessions)


def work_off(job_id: str, members: int, share_gone: float, *, closing: bool, prompt: bool) -> float:
    """The seconds that the job took. Its counts are looked at: a run that lost somebody is no measurement."""
    from unittest import mock

    from ws_lambda import fanout
    from ws_lambda.delivery.job_rows import register
    from ws_lambda.delivery.jobs import Job
    from ws_lambda.delivery.key_ranges import KeyRange
    from ws_lambda.models import ChannelMembership, FanoutJob
    from ws_lambda.models.batch_closing import BatchCloser

    part = KeyRange("channel", CHANNEL)
    job = Job(job_id=job_id, body=b'{"type": "tick"}', pieces=1, not_after=int(time.time()) + 600, part=part)
    register([job])
    close = BatchCloser.close if closing else lambda _self, _recipients: None
    with mock.patch.object(BatchCloser, "close", close):
        begun = time.perf_counter()
        fanout.work_off(job, lambda _seconds: None)
        seconds = time.perf_counter() - begun
    row, gone = FanoutJob.get(job_id), round(members * share_gone)
    left = ChannelMembership.count(CHANNEL)
    if (row.sent, row.gone, left) != (members - gone, gone, members - gone if closing and not prompt else members):
        raise RuntimeError(f"{row.sent} were sent to, {row.gone} were gone, and {left} are left")
    return seconds


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], prompt="prompt" in sys.argv[4:])
