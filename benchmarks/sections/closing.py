"""A queued broadcast to many of whom 30 % are gone: with their closing, and without.

With a DynamoDB 10 ms away that keeps up, and with one that has to do its own writing on the same two cores.
"""

from typing import Any

from benchmarks import nginx, process

MEMBERS = 20_000
GONE = 0.3
WAYS = {"prompt": ["prompt"], "dynoxide": []}


def measure() -> dict[str, Any]:
    """The section of results.json."""
    env = {"DJANGO_SETTINGS_MODULE": "benchmarks.site", "DJANGO_SECRET_KEY": "x" * 50}
    found: dict[str, Any] = {"members": MEMBERS, "gone": GONE}
    with nginx.serving() as far:
        for way, more in WAYS.items():
            taken = process.run("benchmarks.queued", MEMBERS, GONE, far.endpoint("plain"), *more, env=env)
            found[way] = {
                "with_s": round(taken["with"], 2),
                "without_s": round(taken["without"], 2),
                "ratio": round(taken["with"] / taken["without"], 2),
            }
    return found


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    targets = {"prompt": "at most 1.3 × without closing", "dynoxide": "with the emulator's own work"}
    return [
        (
            f"{result['members']:,} queued, 30 % gone, {way}",
            f"{result[way]['ratio']} ×",
            f"{targets[way]}; {result[way]['with_s']} s",
        )
        for way in WAYS
    ]
