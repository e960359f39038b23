"""From 100 members to 100,000: what a delivery costs, and how much memory it takes. Roster included."""

from typing import Any

from benchmarks import dynamodb, nginx, process

SIZES = (100, 1_000, 10_000, 100_000)
ROUNDS = 5
"""The least CPU counts: whatever else the machine does only adds. Of memory, the most."""


def measure() -> list[dict[str, Any]]:
    """The section of results.json."""
    with nginx.serving() as far:
        rounds = [[_one(far, members) for members in SIZES] for _ in range(ROUNDS)]
    return [
        {
            "members": members,
            "cpu_us": round(min(one["cpu_us"] for one in of_a_size), 1),
            "peak_mb": round(max(one["peak_mb"] for one in of_a_size), 1),
        }
        for members, of_a_size in zip(SIZES, zip(*rounds, strict=True), strict=True)
    ]


def _one(far: nginx.FarSide, members: int) -> dict[str, Any]:
    with dynamodb.serving(members, far.endpoint("plain")) as url:
        return process.run("benchmarks.broadcasts", members, env={"AWS_ENDPOINT_URL_DYNAMODB": url})


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
