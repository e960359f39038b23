"""Whatever a process remembers is in the registry, and each occasion forgets what it should."""

import ast
import os
import signal
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import ws_lambda
from ws_lambda import process_state
from ws_lambda.models import stats
from ws_lambda.process_state import Lock, Occasion
from ws_lambda.testing.database import tables

PACKAGE = Path(ws_lambda.__file__).parent

TOOLS = ("local", "management", "provisioning", "testing")
"""Rooms that run on a developer's machine, where a process ends with the command."""

NEVER_UNTRUE = {
    "delivery/pumps.py": "a transport that a test has installed, which the same test takes out again",
    "sources/packed_settings.py": "what is in the package that was deployed",
    "telemetry.py": "counts one invocation, and is empty between two",
}
"""Modules that keep something which no occasion makes untrue, and why."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test registers is gone after it."""
    registered = {occasion: list(every) for occasion, every in process_state._registered.items()}
    monkeypatch.setattr(process_state, "_registered", defaultdict(list, registered))


def is_state(node: ast.AST, own_classes: set[str]) -> bool:
    """A name that is bound again, a cache without arguments, a private empty container or object of an own class."""
    match node:
        case ast.Global():
            return True
        case ast.FunctionDef(decorator_list=decorators):
            return any(ast.unparse(one) in ("cache", "functools.cache") for one in decorators)
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            return name.startswith("_") and is_filled_later(value, own_classes)
    return False


def is_filled_later(value: ast.expr, own_classes: set[str]) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=made, args=[]):
            return ast.unparse(made) in own_classes | {"OrderedDict", "dict", "list", "set"}
    return False


def modules_with_state() -> list[str]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(TOOLS):
            continue
        tree = ast.parse(path.read_text())
        own = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.bases}
        rebound = [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
        if any(is_state(node, own) for node in [*tree.body, *rebound]):
            found.append(name)
    return found


def test_every_module_that_remembers_something_registers_how_it_is_forgotten() -> None:
    found = modules_with_state()
    assert {"aws.py", "reporting.py", "adapter.py", "delivery/curl.py", "admin/overview.py"} <= set(found)
    unregistered = {name for name in found if "process_state.register(" not in (PACKAGE / name).read_text()}
    assert unregistered == set(NEVER_UNTRUE)


def test_an_occasion_calls_what_was_registered_for_it_in_that_order(registry: None) -> None:
    called: list[str] = []
    process_state.register(lambda: called.append("first"), Occasion.RESTORE, Occasion.SNAPSHOT)
    process_state.register(lambda: called.append("second"), Occasion.RESTORE)
    process_state.forget(Occasion.SNAPSHOT)
    assert called == ["first"]
    process_state.forget(Occasion.RESTORE)
    assert called == ["first", "first", "second"]


def test_a_lock_that_another_thread_held_at_the_fork_is_free_in_the_child(registry: None) -> None:
    lock, held, done = Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # which ends it, should the lock not be free
        with lock:
            os._exit(0)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        done.set()
        thread.join()


def test_the_test_kit_keeps_no_counts_of_an_earlier_test(settings: Any) -> None:
    with tables():
        stats.count("connects")
    with tables():
        stats.flush()
        assert sum(minute["connects"] for minute in stats.last_hour()) == 0
