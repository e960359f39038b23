"""A warm function: CPU of a message without AWS, and how many requests to AWS each kind of event makes."""

from typing import Any

from benchmarks import process


def measure() -> dict[str, Any]:
    """The section of results.json."""
    return process.run(
        "benchmarks.events",
        env={
            "DJANGO_SETTINGS_MODULE": "benchmarks.site",
            "DJANGO_SECRET_KEY": "x" * 50,
            "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
        },
    )


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What `make bench` prints."""
    calls = ", ".join(f"{result[f'{kind}_calls']}" for kind in ("connect", "message", "disconnect"))
    return [
        ("warm message, CPU without AWS", f"{result['message_cpu_ms']} ms", "<= 1 ms"),
        ("requests to AWS: in, message, out", calls, "<= 3, 1, 2"),
    ]
