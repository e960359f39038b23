"""constraints.txt pins all that `make run` and `make test` install, and what is installed to build the package."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text().splitlines()
    pinned = [re.fullmatch(r"([\w.-]+)==([\w.+!]+)", line) for line in lines]
    assert all(pinned), "a line for each package, its exact version and nothing else"
    return {canonicalize_name(one[1]): one[2] for one in pinned if one}


def needed(requirements: list[str]) -> Iterator[Requirement]:
    """Those requirements and theirs, as far as they are for this interpreter."""
    waiting = [(Requirement(one), "") for one in requirements]
    seen = set()
    while waiting:
        wanted, extra = waiting.pop()
        if (str(wanted), extra) in seen or (wanted.marker and not wanted.marker.evaluate({"extra": extra})):
            continue
        seen.add((str(wanted), extra))
        yield wanted
        for further in metadata.requires(wanted.name) or ():
            waiting += [(Requirement(further), one) for one in ("", *wanted.extras)]


@pytest.mark.parametrize("extra", ["local", "dev"])
def test_everything_that_is_needed_is_pinned(extra: str) -> None:
    requirements = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"][extra]
    pinned = pins("constraints.txt") | {"django-ws-lambda": PROJECT["project"]["version"]}
    found = list(needed(requirements + PROJECT["build-system"]["requires"]))
    assert len(found) > 30
    assert {one.name for one in found if canonicalize_name(one.name) not in pinned} == set()
    misfits = [str(one) for one in found if not one.specifier.contains(pinned[canonicalize_name(one.name)])]
    assert misfits == []


def test_the_emulator_is_pinned_as_the_makefile_names_it() -> None:
    assert (
        f"MINISTACK_VERSION := {pins('tests/ministack-constraints.txt')['ministack']}\n"
        in (ROOT / "Makefile").read_text()
    )
