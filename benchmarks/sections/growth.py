"""From 100 members to 100,000: what a delivery costs, and how much memory it takes. Roster included."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks import dynamodb, nginx, process

SIZES = (100, 1_000, 10_000, 100_000)
ROUNDS = 20
"""The sizes take turns so many times, each in a process that stays, and the least CPU of each counts: whatever else
the machine does only adds, and it does so for a minute and more at a time. Of memory, the most.
"""


def measure() -> list[dict[str, Any]]:
    """The section of results.json."""
    with ExitStack() as stack:
        far = stack.enter_context(nginx.serving())
        senders = {members: stack.enter_context(_sender(far, members)) for members in SIZES}
        turns: dict[int, list[dict[str, Any]]] = {members: [] for members in SIZES}
        for _ in range(ROUNDS):
            for members, sender in senders.items():
                sender.tell("go")
                turns[members].append(json.loads(sender.line()))
    return [
        {
            "members": members,
            "cpu_us": round(min(one["cpu_us"] for one in of_a_size), 1),
            "peak_mb": round(max(one["peak_mb"] for one in of_a_size), 1),
        }
        for members, of_a_size in turns.items()
    ]


@contextmanager
def _sender(far: nginx.FarSide, members: int) -> Iterator[process.Talking]:
    with (
        dynamodb.serving(members, far.endpoint("plain")) as url,
        process.talking("benchmarks.broadcasts", members, env={"AWS_ENDPOINT_URL_DYNAMODB": url}) as sender,
    ):
        yield sender


def rows(result: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    costs = [one["cpu_us"] for one in result]
    spread = f"{(max(costs) / min(costs) - 1) * 100:.0f} % between least and most (at most 20 %)"
    return [
        (
            f"{one['members']:,} members",
            f"{one['cpu_us']} µs, {one['peak_mb']} MB",
            spread if one is result[-1] else "",
        )
        for one in result
    ]
