"""Commands to the function, through `lambda_handler`."""

from typing import Any

import pytest

from ws_lambda.exceptions import CommandFailed
from ws_lambda.lambda_handler import handler
from ws_lambda.sources import management_command
from ws_lambda.testing import LambdaContext


def manage(command: Any) -> Any:
    return handler({"manage": command}, LambdaContext())


@pytest.mark.parametrize("name", ["prunes", "", None, ["prune"], "_prune", "__class__"])
def test_an_unknown_command_is_told_which_there_are(name: Any) -> None:
    with pytest.raises(CommandFailed, match=r"Unknown command .*\. Known commands: prune\."):
        handler({"ws_lambda": name}, LambdaContext())


def test_raw_commands_are_refused() -> None:
    with pytest.raises(PermissionError, match="raw_command is refused"):
        handler({"raw_command": "raise SystemExit"}, LambdaContext())
    with pytest.raises(PermissionError, match="raw_command is refused"):
        handler({"raw_command": "raise SystemExit", "manage": "check"}, LambdaContext())


@pytest.mark.parametrize("command", ["check --tag security", ["check", "--tag", "security"]])
def test_a_management_command_returns_its_output_and_logs_it(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = manage(command)
    assert answer == {"output": "System check identified no issues (0 silenced).\n"}
    assert "System check identified no issues" in capsys.readouterr().out, "zappa manage prints the log"


def test_a_line_is_quoted_as_for_a_shell() -> None:
    with pytest.raises(CommandFailed, match='no system check with the "two words" tag'):
        manage('check --tag "two words"')


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no_such_command", "no_such_command: Unknown command"),
        ("check --no-such-option", "check: Error: unrecognized arguments: --no-such-option"),
        ("check 'unbalanced", "needs a command line or a list of words: No closing quotation"),
        ("", "needs the name of a management command"),
        ([], "needs the name of a management command"),
        (7, "needs a command line or a list of words"),
        (None, "needs a command line or a list of words"),
    ],
)
def test_a_command_that_cannot_run_fails_the_invocation_with_a_reason(command: Any, message: str) -> None:
    with pytest.raises(CommandFailed, match=message):
        manage(command)


def test_a_command_that_exits_does_not_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*words: str) -> None:
        print("what went wrong")  # noqa: T201 - as commands do that do not use self.stdout
        raise SystemExit(int(words[1]))

    monkeypatch.setattr(management_command.management, "call_command", run)
    assert manage("doctor 0") == {"output": "what went wrong\n"}
    with pytest.raises(CommandFailed, match="doctor exited with 1: what went wrong"):
        manage("doctor 1")


def test_help_is_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert "usage: " in manage("ws_prune --help")["output"]


def test_of_long_output_the_end_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management_command, "LONGEST_OUTPUT", 10)
    assert manage("check --tag security")["output"] == "(38 characters left out)\nilenced).\n"
