"""Command output: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned columns under headings. An empty cell is shown as a dash."""
    cells = [[str(cell) if cell not in (None, "") else "-" for cell in row] for row in rows]
    everything = [list(headings), *cells]
    widths = [max(len(row[column]) for row in everything) for column in range(len(headings))]
    ruled = [list(headings), ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in ruled
    )


def facts(pairs: Mapping[str, object]) -> str:
    """One line for each name and value. Empty values are left out."""
    shown = {name: value for name, value in pairs.items() if value not in (None, "", [], {})}
    width = max(map(len, shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in shown.items())


def as_json(value: Any) -> str:
    """Indented JSON. Values that JSON has no type for, such as times, become text."""
    return json.dumps(value, indent=2, default=str, ensure_ascii=False)


def confirmed(question: str, wanted: str) -> bool:
    """Asks a question on standard error, so that standard output holds only results.

    Returns:
        Whether the answer is `wanted`.

    Raises:
        CommandError: standard input is closed, so nobody can answer.
    """
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise CommandError(
            "This command asks for confirmation, but has no input to read the answer from. "
            "Add --yes to skip the question."
        )
    return answer.strip() == wanted
