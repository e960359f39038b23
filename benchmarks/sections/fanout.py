"""Deliveries a second: this package, boto3, aiohttp, and what the far side can take at all."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import nginx, process
from benchmarks.senders import BODY

COUNTS = {"ours": 30_000, "boto3_1": 600, "boto3_10": 1_500, "aiohttp": 8_000}
FAR_COUNTS = {"ours": 15_000, "boto3_1": 150, "boto3_10": 1_500, "aiohttp": 6_000}
VARIANTS = ("plain", "tls", "plain_10ms", "tls_10ms")
ROUNDS = 5
"""The senders take turns so many times, and the best counts: whatever else the machine does only takes away."""

TARGETS = {"ratio": 15.0}


def measure() -> dict[str, Any]:
    """The section of results.json."""
    with nginx.serving() as far:
        variants = {variant: _variant(far, variant) for variant in VARIANTS}
        plain = variants.pop("plain")
        return {**plain, "variants": variants}


def _variant(far: nginx.FarSide, variant: str) -> dict[str, Any]:
    counts = FAR_COUNTS if variant.endswith("10ms") else COUNTS
    rounds = ROUNDS if variant == "plain" else 2
    taken: dict[str, list[dict[str, Any]]] = {kind: [] for kind in counts}
    limits: list[int] = []
    for _ in range(rounds):
        if variant == "plain" and (limit := _wrk(far)):
            limits.append(limit)
        for kind, count in counts.items():
            env = {"AWS_CA_BUNDLE": far.ca_file} if variant.startswith("tls") else {}
            taken[kind].append(process.run("benchmarks.senders", kind, far.endpoint(variant), count, env=env))
    per_s = {kind: max(one["count"] / one["seconds"] for one in all_) for kind, all_ in taken.items()}
    cpu = {kind: min(one["cpu"] / one["count"] for one in all_) * 1e6 for kind, all_ in taken.items()}
    return {
        **{f"{kind}_per_s": round(value) for kind, value in per_s.items()},
        "ratio": round(per_s["ours"] / per_s["boto3_10"], 1),
        "cpu_us": round(cpu["ours"], 1),
        "boto3_10_cpu_us": round(cpu["boto3_10"], 1),
        "wrk_per_s": max(limits, default=None),
    }


def _wrk(far: nginx.FarSide) -> int | None:
    """What nginx answers to a client written in C, or None where there is no wrk."""
    if not shutil.which("wrk"):
        print("  wrk is not installed: its row is left out")
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "POST"\nwrk.body = [[{BODY.decode()}]]\n')
        script.flush()
        url = far.endpoint("plain") + "/@connections/BFHPhfCWIAMCKlQ%3D"
        out = subprocess.run(
            ["wrk", "-t1", "-c64", "-d2", "-s", str(Path(script.name)), url],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert found, out
    return round(float(found[1]))


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table: what, how much, of which target."""
    lines = []
    for variant, one in {"plain": result, **result["variants"]}.items():
        for kind in COUNTS:
            target = ""
            if kind == "ours" and variant == "plain":
                alone = round(one["ours_per_s"] / one["boto3_1_per_s"], 1)
                target = f"{one['ratio']} × boto3 with 10 threads (floor 15, goal 20), {alone} × with one"
            elif kind == "ours":
                target = f"{one['ratio']} × boto3 with 10 threads"
            lines.append((f"fan-out, {variant}, {kind}", f"{one[f'{kind}_per_s']:,} /s", target))
    if result["wrk_per_s"]:
        lines.append(("fan-out, plain, wrk", f"{result['wrk_per_s']:,} /s", "the far side's own limit"))
    lines.append(("CPU of a delivery", f"{result['cpu_us']} µs", f"boto3: {result['boto3_10_cpu_us']} µs"))
    return lines
