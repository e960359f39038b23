"""A pytest plugin: the scorecard of the conformance tests, by fact."""

import os
from collections.abc import Iterator

import pytest

TARGET_VARIABLE = "CONFORMANCE_TARGET"


def target() -> str:
    """The target of the suite: "local" or "ministack"."""
    return os.environ.get(TARGET_VARIABLE, "local")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fact(grade, text, source): the fact that a conformance test proves")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("fact"):
        # User properties travel with the report, from a process of xdist to the one that prints.
        item.user_properties.append(("fact", (mark.args[0], mark.args[1])))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = sorted(set(_rows(terminalreporter)), key=lambda row: (row[1], row[2]))
    if not rows:
        return
    held = {"failed": "DEPARTS", "skipped": "not asked", "passed": "holds"}
    write = terminalreporter.write_line
    terminalreporter.section(f"API Gateway by fact: {target()}")
    worst: dict[tuple[str, str], str] = {}
    for outcome, grade, text in rows:
        worst[grade, text] = min(outcome, worst.get((grade, text), outcome), key=list(held).index)
    for (grade, text), outcome in sorted(worst.items(), key=lambda one: (list(held).index(one[1]), one[0][1])):
        if terminalreporter.verbosity >= 0 or outcome != "passed":
            write(f"  {held[outcome]:9}  {grade}  {text}", red=outcome == "failed", green=outcome == "passed")
    counts = [f"{list(worst.values()).count(outcome)} {name}" for outcome, name in held.items()]
    write(f"  {len(worst)} facts: {', '.join(counts)}")


def _rows(reporter: pytest.TerminalReporter) -> Iterator[tuple[str, str, str]]:
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in reporter.stats.get(outcome, []):
            if outcome == "passed" and report.when != "call":
                continue
            for name, value in getattr(report, "user_properties", []):
                if name == "fact":
                    yield "failed" if outcome == "error" else outcome, value[0], value[1]
