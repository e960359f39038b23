"""HTTP requests, by our own source and by Zappa's handler: import, the first of a cold function, a later one."""

import statistics
from typing import Any

from benchmarks import process

RUNS = 7
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "benchmarks.site",
    "DJANGO_SECRET_KEY": "x" * 50,
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "ALLOWED_HOSTS": ".amazonaws.com",
}


def measure() -> dict[str, Any]:
    """The section of results.json. Both kinds by turns, so that a slow moment of the machine hits both."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "zappa": []}
    for _ in range(RUNS):
        for which, runs in found.items():
            runs.append(process.run("benchmarks.http_request", which, env=ENVIRONMENT))
    return {
        f"{which}_{key}": round(statistics.median(run[key] for run in runs), 0 if key == "us" else 1)
        for which, runs in found.items()
        for key in ("import_ms", "first_ms", "us")
    }


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What `make bench` prints."""
    saved = result["zappa_first_ms"] - result["ours_first_ms"]
    return [
        (
            "first HTTP request, cold, CPU",
            f"{result['ours_first_ms']} ms",
            f"Zappa's handler {result['zappa_first_ms']} ms: {saved:.0f} ms less, target: 30",
        ),
        ("import for HTTP, CPU", f"{result['ours_import_ms']} ms", f"Zappa's handler {result['zappa_import_ms']} ms"),
        ("HTTP request, warm, CPU", f"{result['ours_us']:.0f} µs", f"Zappa's handler {result['zappa_us']:.0f} µs"),
    ]
