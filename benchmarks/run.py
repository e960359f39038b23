"""`make bench`: measures, prints a table, and writes results.json, docs/measured.md and the figures.

    python -m benchmarks.run                 # every section
    python -m benchmarks.run signing roster  # only these; the others stay as they were in results.json

A section is a module in `benchmarks/sections/` with `measure() -> dict | list`, what results.json gets under its name,
and `rows(result) -> [(what, how much, target)]`, its lines of the table. There is nothing to register.
"""

import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks import figures, report

RESULTS = Path(__file__).with_name("results.json")
DOCS = Path(__file__).parent.parent / "docs"

BUSY = 0.5
"""Load average above which others are taking time from what is measured."""


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def main(names: list[str]) -> None:
    known = report.known()
    if unknown := set(names) - set(known):
        sys.exit(f"No section {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["machine"] = machine()
    if results["machine"]["load_before"] > BUSY:
        print(f"The machine is busy (load {results['machine']['load_before']}): times by the clock will be too long.")
    lines: list[tuple[str, str, str]] = []
    for name in names or known:
        section = importlib.import_module(f"benchmarks.sections.{name}")
        print(f"{name} ...", flush=True)
        results[name] = section.measure()
        lines += report.rows(name, results[name])
        RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    results = json.loads(RESULTS.read_text())  # in the order of the file, as whoever reads that has it
    figures.draw(results, DOCS / "figures")
    (DOCS / "measured.md").write_text(report.page(results))
    print()
    for what, how_much, target in lines:
        print(f"{what:<34} {how_much:>22}   {target}".rstrip())


if __name__ == "__main__":
    main(sys.argv[1:])
