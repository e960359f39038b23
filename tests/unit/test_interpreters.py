"""`make … PYTHON= DJANGO=`: each choice has its own environments, and the tests find those of the one they run in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ministack, venvs
from tests.local_site import ROOT

CHOICES = {
    (): ".venv",
    ("PYTHON=python3.99",): ".venv-python3.99",
    ("PYTHON=/opt/lib/python3.99", "DJANGO=9.8"): ".venv-python3.99-django9.8",
}


def commands(*words: str) -> list[str]:
    """What make would do, were nothing installed yet."""
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "DJANGO")  # of the make that runs these tests
    own = {name: value for name, value in os.environ.items() if name not in outer}
    command = ["make", "--dry-run", "--always-make", *words]
    return subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(("choice", "venv"), CHOICES.items(), ids=CHOICES.values())
def test_the_tests_run_in_the_environment_of_the_choice(choice: tuple[str, ...], venv: str) -> None:
    assert f" {venv}/bin/python -m pytest " in commands("test", *choice)[-1]


@pytest.mark.parametrize(("choice", "venv"), CHOICES.items(), ids=CHOICES.values())
def test_they_find_the_emulator_of_their_own_interpreter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, choice: tuple[str, ...], venv: str
) -> None:
    assert any(f"-m venv {venv}-ministack" in line for line in commands("test", *choice))
    monkeypatch.delenv("MINISTACK", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", f"/somewhere/{venv}")
    monkeypatch.setattr(venvs, "ROOT", tmp_path)
    program = tmp_path / f"{venv}-ministack" / "bin" / "ministack"
    program.parent.mkdir(parents=True)
    program.touch()
    assert ministack.program() == str(program)


def test_an_environment_elsewhere_leaves_what_it_needs_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/home/somebody/chat")
    assert venvs.directory("deploy") == ROOT / ".venv-chat-deploy"


def test_what_is_deployed_has_the_django_that_was_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert venvs.pins() == ROOT / "constraints.txt"
    (tmp_path / "constraints.txt").write_text("Django~=9.8.0\n")
    assert venvs.pins() == tmp_path / "constraints.txt"
