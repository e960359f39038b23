"""Runs a management command inside the function."""

import contextlib
import io
import shlex
import sys
from typing import Any, TextIO

from django.core import management
from django.db import close_old_connections

from ws_lambda.exceptions import CommandFailed

LONGEST_OUTPUT = 1_000_000
"""Characters of output that are returned: Lambda's answer may have 6 MB, and a character up to six bytes in JSON.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


class _Tee(io.TextIOBase):
    """Keeps the text that is written, and copies it to the function's log. `zappa manage` prints the end of the log."""

    def __init__(self, log: TextIO) -> None:
        self.kept = io.StringIO()
        self._log = log

    def write(self, text: str) -> int:
        self._log.write(text)
        return self.kept.write(text)

    def flush(self) -> None:
        self._log.flush()


def run(command: Any) -> str:
    """Runs a management command to its end.

    Args:
        command: the command line after `manage.py`, quoted as for a shell, or a list of its words.

    Returns:
        The text that the command wrote to standard output and standard error. Only the last LONGEST_OUTPUT characters
        are returned.

    Raises:
        CommandFailed: the command is unknown, its arguments are wrong, it fails with a CommandError, or its exit code
            is not 0. All other exceptions of the command are passed on.
    """
    words = _words(command)
    tee = _Tee(sys.stdout)
    close_old_connections()  # as Django does before a request: the SQL server may have closed one since the last event
    try:
        with contextlib.redirect_stdout(tee), contextlib.redirect_stderr(tee):
            management.call_command(*words)
    except SystemExit as ended:
        # Otherwise it would end the process, and Lambda could not reuse it for the next event.
        if ended.code not in (None, 0):
            raise CommandFailed(f"{words[0]} exited with {ended.code}: {_end(tee, 2_000)}") from ended
    except management.CommandError as wrong:
        raise CommandFailed(f"{words[0]}: {wrong}") from wrong
    finally:
        close_old_connections()
    return _end(tee, LONGEST_OUTPUT)


def _words(command: Any) -> list[str]:
    try:
        words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    except (TypeError, ValueError) as wrong:
        raise CommandFailed(f'"manage" needs a command line or a list of words: {wrong}') from wrong
    if not words:
        raise CommandFailed('"manage" needs the name of a management command.')
    return words


def _end(tee: _Tee, longest: int) -> str:
    text = tee.kept.getvalue()
    left_out = len(text) - longest
    return text if left_out <= 0 else f"({left_out:,} characters left out)\n{text[left_out:]}"
