"""`docs/measured.md`: all of results.json as one page, so that no document holds a figure that nobody measured."""

import importlib
import pkgutil
from typing import Any

from benchmarks import sections

HEAD = """# Measured

Written by `make bench` from `benchmarks/results.json`; what was compared, and how, is in [delivery](delivery.md).

Machine: {cpu}, {cores} cores, Python {python} on {system}, load {load_before} before the run.

| what | measured | target, or what it compares with |
|---|---|---|
"""


def known() -> list[str]:
    """The names of all sections."""
    return sorted(module.name for module in pkgutil.iter_modules(sections.__path__))


def rows(name: str, result: Any) -> list[tuple[str, str, str]]:
    """A section's lines of the table: what, how much, of which target."""
    return list(importlib.import_module(f"benchmarks.sections.{name}").rows(result))


def page(results: dict[str, Any]) -> str:
    """The page for the results there are."""
    lines = [row for name in known() if name in results for row in rows(name, results[name])]
    return HEAD.format(**results["machine"]) + "".join(f"| {' | '.join(row)} |\n" for row in lines)
