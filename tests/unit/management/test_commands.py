"""What every management command of this package has."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import find_commands

import ws_lambda
from ws_lambda.management.aws_command import AwsCommand

PACKAGE = Path(ws_lambda.__file__).parent
COMMANDS = sorted(
    f"{path.parent.relative_to(PACKAGE.parent).as_posix().replace('/', '.')}.management.commands.{name}"
    for path in PACKAGE.rglob("management")
    for name in find_commands(str(path))
)
PAGES = "\n".join(path.read_text() for path in (PACKAGE.parent / "docs").glob("*.md"))
CALL_NO_AWS = {"shell", "ws_local"}
"""Commands that need no messages for errors of AWS."""


@pytest.mark.parametrize("module", COMMANDS)
def test_each_has_the_base_a_help_text_and_a_place_in_the_docs(module: str) -> None:
    name = module.rpartition(".")[2]
    file = f"{module.replace('.', '/')}.py"
    command = import_module(module).Command
    assert issubclass(command, AwsCommand) != (name in CALL_NO_AWS), f"Give the command in {file} the base AwsCommand."
    assert command.help, f"Write a `help` text in {file}."
    assert re.search(rf"manage\.py {name}\b|`{name}\b", PAGES), f"Describe {name} in a page of docs/."


def test_all_are_found() -> None:
    assert len(COMMANDS) > len(CALL_NO_AWS)
