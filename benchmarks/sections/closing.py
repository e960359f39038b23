"""A queued broadcast to many of whom 30 % are gone: with their closing, and without. Near, and 10 ms away."""

from typing import Any

from benchmarks import nginx, process

MEMBERS = 20_000
GONE = 0.3
VARIANTS = ("plain", "plain_10ms")


def measure() -> dict[str, Any]:
    """The section of results.json."""
    env = {"DJANGO_SETTINGS_MODULE": "benchmarks.site", "DJANGO_SECRET_KEY": "x" * 50}
    found: dict[str, Any] = {"members": MEMBERS, "gone": GONE}
    with nginx.serving() as far:
        for variant in VARIANTS:
            taken = process.run("benchmarks.queued", MEMBERS, GONE, far.endpoint(variant), env=env)
            found[variant] = {
                "with_s": round(taken["with"], 2),
                "without_s": round(taken["without"], 2),
                "ratio": round(taken["with"] / taken["without"], 2),
            }
    return found


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    return [
        (
            f"{result['members']:,} queued, 30 % gone, {variant}",
            f"{result[variant]['ratio']} ×",
            f"at most 1.3 × without closing; {result[variant]['with_s']} s",
        )
        for variant in VARIANTS
    ]
