"""What a message of a busy channel costs: requests to DynamoDB, each 10 ms long, with one writer and with many."""

from typing import Any

from benchmarks import process


def measure() -> list[dict[str, Any]]:
    """The section of results.json."""
    env = {"DJANGO_SETTINGS_MODULE": "benchmarks.site", "DJANGO_SECRET_KEY": "x" * 50}
    return list(process.run("benchmarks.appends", env=env)["append"])


def rows(result: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """What `make bench` prints."""
    costs = ", ".join(f"{one['requests_per_message']}" for one in result)
    writers = ", ".join(f"{one['writers']}" for one in result)
    return [(f"requests a message: {writers} writers", costs, "<= 3")]
