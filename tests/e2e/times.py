"""A pytest plugin that shows the times of the end-to-end test after the run, and writes them to `build/e2e.json`."""

import json
from pathlib import Path

import pytest

PROPERTY = "e2e"
FILE = Path(__file__).resolve().parents[2] / "build" / "e2e.json"
NAMES = {
    "deploy_s": "zappa deploy, seconds",
    "cold_connect_ms": "first connect, cold, ms",
    "warm_round_trip_ms": "message and answer, warm, ms",
    "update_s": "zappa update, seconds",
    "undeploy_s": "zappa undeploy, seconds",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # User properties travel with the report, from a process of xdist to the one that prints.
    reports = terminalreporter.stats.get("passed", [])
    found = [value for report in reports for name, value in report.user_properties if name == PROPERTY]
    for times in found:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(times, indent=2) + "\n")
        terminalreporter.section("A deployment to an emulated AWS")
        for name, value in times.items():
            terminalreporter.write_line(f"  {NAMES[name]:30} {value:10,.1f}")
