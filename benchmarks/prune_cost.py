"""What the schedule asks for in a month, and what that costs: the table of docs/deploy.md.

`python -m benchmarks.prune_cost [--before CHECKOUT]` runs an hour of the schedule over two populations of some hundred
connections on dynoxide, which tells the units of each request as DynamoDB does, and takes what grows with them on to a
million. CHECKOUT is another version of this repository, with its own `.venv`, to be measured by the same program.
"""

import argparse
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROBE = ROOT / "benchmarks" / "prune_probe.py"
SMALL, LARGE = 120, 360
"""Connections of the two populations: what an hour costs at none is the rest of a straight line through both."""

SIZES = (1_000, 10_000, 100_000, 1_000_000)
HOURS = 24 * 30
QUOTA = 10_000
"""Requests a second of an account's API Gateway, WebSocket, HTTP and REST APIs together.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

READ, WRITE = 0.125e-6, 0.625e-6
"""Dollars for a request unit, on demand, US East (N. Virginia), since November 2024.

https://aws.amazon.com/dynamodb/pricing/on-demand/
"""

GB_SECOND = 0.0000166667
"""Dollars, x86, 1 GB of memory: https://aws.amazon.com/lambda/pricing/"""

REQUEST_SECONDS = 0.01
"""What a request to DynamoDB takes from a function in its region, 100 items or a page of 500 too: an assumption."""


@dataclass(frozen=True)
class Mix:
    """A population."""

    name: str
    per_user: int
    """Connections of a user, who has one login."""

    talking: int
    """Per cent that say something every few minutes."""

    in_dynamodb: bool
    """Whether users and Django sessions are in this package's tables; otherwise they cost DynamoDB nothing."""


MIXES = (
    Mix("two connections a user, half of them talk; users and sessions in DynamoDB", 2, 50, True),
    Mix("all silent, each its own user; users and sessions in SQL", 1, 0, False),
    Mix("all silent, each its own user; users and sessions in DynamoDB", 1, 0, True),
)


@dataclass(frozen=True)
class Month:
    """What a month takes at a number of connections."""

    asked: float
    read_units: float
    write_units: float
    seconds: float

    @property
    def share(self) -> float:
        """Per cent of the account's quota."""
        return 100 * self.asked / (QUOTA * HOURS * 3600)

    @property
    def dynamodb(self) -> float:
        """Dollars."""
        return self.read_units * READ + self.write_units * WRITE

    @property
    def function(self) -> float:
        """Dollars for Lambda's time."""
        return self.seconds * GB_SECOND


def measure(checkout: Path, mix: Mix, connections: int, endpoint: str) -> dict[str, float]:
    """An hour's counts."""
    asked = {
        "checkout": str(checkout),
        "connections": connections,
        "per_user": mix.per_user,
        "talking": mix.talking,
        "in_dynamodb": mix.in_dynamodb,
    }
    surroundings = {
        **os.environ,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }
    python = checkout / ".venv" / "bin" / "python"
    done = subprocess.run([python, PROBE, json.dumps(asked)], env=surroundings, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    counted: dict[str, float] = json.loads(done.stdout)
    return counted


def month(small: dict[str, float], large: dict[str, float], connections: int, pace: float) -> Month:
    """A month, on the line through the two populations.

    Args:
        pace: requests to API Gateway in a second.
    """

    def at(name: str) -> float:
        slope = (large.get(name, 0) - small.get(name, 0)) / (LARGE - SMALL)
        return max(0.0, small.get(name, 0) + slope * (connections - SMALL)) * HOURS

    asked = at("api_gateway")
    return Month(asked, at("read_units"), at("write_units"), asked / pace + at("dynamodb") * REQUEST_SECONDS)


def table(checkout: Path, endpoint: str, *, pace: float) -> list[str]:
    """Lines of the table: mix, connections, requests, share, units, dollars, Lambda."""
    lines = []
    for mix in MIXES:
        small, large = (measure(checkout, mix, count, endpoint) for count in (SMALL, LARGE))
        for size in SIZES:
            one = month(small, large, size, pace)
            cells = (
                mix.name if size == SIZES[0] else "",
                f"{size:,}",
                f"{one.asked / 1e6:,.1f} M",
                f"{one.share:.2f} %",
                f"{one.read_units / 1e6:,.1f} M",
                f"{one.dynamodb:,.2f}",
                f"{one.seconds / 1e3:,.0f} k",
                f"{one.function:,.2f}",
            )
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, measured before this one")
    before = parser.parse_args().before
    os.environ["WS_LAMBDA_TEST_ENGINE"] = "dynoxide"
    from tests import engines

    head = "| connections | open | asked a month | of the quota | read units | dollars | Lambda, GB-s | dollars |"
    for name, checkout, pace in (("before", before, 8_000.0), ("now", ROOT, 400.0)):
        if checkout is not None:
            print(f"\n{name}\n\n{head}\n|---|---|---|---|---|---|---|---|")
            print("\n".join(table(checkout.resolve(), engines.endpoint(), pace=pace)), flush=True)


if __name__ == "__main__":
    main()
