"""The mark that names a fact."""

import pytest


def fact(grade: str, text: str, source: str = "") -> pytest.MarkDecorator:
    """Marks a test as the proof of a fact, graded D, M, R or X."""
    if grade not in ("D", "M", "R", "X"):
        raise ValueError(f"{grade!r}: what is uncertain is not to be asserted")
    return pytest.mark.fact(grade, text, source)
