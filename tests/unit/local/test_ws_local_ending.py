"""`manage.py ws_local` ends: by Ctrl-C, by a signal, by being killed, and every process with it."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.local.conftest import PATIENCE, environment, running, wait_for


def children_of(process):
    pids = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    return [pid for pid in pids if status(pid)[1:] == [str(process.pid)]]


def status(pid):
    """State and parent of a process; none where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return []


def child(process, module):
    """The process of a module of the gateway."""
    return next(pid for pid in children_of(process) if f"ws_lambda.local.{module}" in command_of(pid))


def own_folder(process):
    """Where a run keeps the function's socket."""
    return Path(re.search(r"--leftover=(\S+)", command_of(child(process, "worker")))[1])


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def gone(pid):
    return status(pid)[:1] in ([], ["Z"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process_with_no_word(folder, number):
    with running(folder) as run:
        children, files = children_of(run.process), own_folder(run.process)
        assert len(children) == 2
        assert files.is_dir()
        assert run.page() == "version 1"
        run.process.send_signal(number)
        assert run.process.wait(PATIENCE) == 0
    assert all(gone(pid) for pid in children)
    assert not files.exists()
    assert "Traceback" not in (folder / "said").read_text()


@contextmanager
def in_a_terminal(folder: Path, **more: str):
    """A run whose Ctrl-C goes to its whole process group, as a terminal sends it."""
    command = [sys.executable, "manage.py", "ws_local", "--port=0", "--ws-port=0"]
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a test run in the background ignores,
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=environment() | more, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        signal.signal(signal.SIGINT, usual)  # its children would ignore as well
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)


def press_ctrl_c(process: "subprocess.Popen[bytes]") -> int:
    os.killpg(process.pid, signal.SIGINT)
    return process.wait(PATIENCE)


def test_ctrl_c_while_django_is_imported(folder):
    """It is imported from a folder of the test's own, and so slowly that the signal always comes meanwhile."""
    (folder / "django").mkdir()
    (folder / "django" / "__init__.py").write_text(f"print('loading', flush=True)\nimport time; time.sleep({PATIENCE})")
    with in_a_terminal(folder) as process:
        wait_for(lambda: (folder / "said").read_text() == "loading\n")
        assert press_ctrl_c(process) == 130
    assert (folder / "said").read_text() == "loading\n"


def test_ctrl_c_while_the_children_start(folder):
    with in_a_terminal(folder) as process:
        wait_for(lambda: children_of(process))
        children = children_of(process)
        assert press_ctrl_c(process) == 0
    assert (folder / "said").read_text() == ""
    assert all(gone(pid) for pid in children)


def test_ctrl_c_while_the_tables_are_made(folder):
    """The thread that makes them is neither waited for nor stopped by an interpreter that ends in good order."""
    manage = folder / "manage.py"
    manage.write_text(f"import atexit\natexit.register(print, 'in good order')\n{manage.read_text()}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        endpoint = "http://{}:{}".format(*silent.getsockname())
        with in_a_terminal(folder, AWS_ENDPOINT_URL_DYNAMODB=endpoint) as process:
            asked, _address = silent.accept()
            assert press_ctrl_c(process) == 0
            asked.close()
    assert (folder / "said").read_text() == ""


def test_nothing_is_left_of_a_supervisor_that_is_killed(folder):
    with running(folder, "--noreload") as run:
        children, files = children_of(run.process), own_folder(run.process)
        run.process.kill()
        run.process.wait(PATIENCE)
    wait_for(lambda: all(gone(pid) for pid in children))
    assert not files.exists()


@pytest.mark.parametrize(("module", "name"), [("worker", "Django"), ("dynamodb", "DynamoDB")])
def test_a_child_that_is_killed_ends_the_run(folder, module, name):
    with running(folder) as run:
        children, files = children_of(run.process), own_folder(run.process)
        os.kill(child(run.process, module), signal.SIGKILL)
        assert run.process.wait(PATIENCE) not in (0, None)
    assert all(gone(pid) for pid in children)
    assert not files.exists()
    last = (folder / "said").read_text().splitlines()[-1]
    assert last.startswith(f"{name} has stopped (exit code -9)")
