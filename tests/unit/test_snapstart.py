"""A restored environment starts with nothing of the one that was snapshot."""

import random
import sys
from types import ModuleType
from typing import Any

import pytest

from ws_lambda import aws, snapstart
from ws_lambda.models import base


def test_lambda_is_told_of_both_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: dict[str, Any] = {}
    runtime = ModuleType("snapshot_restore_py")  # part of Lambda's runtimes
    runtime.register_before_snapshot = lambda hook: hooks.update(before=hook)  # type: ignore[attr-defined]
    runtime.register_after_restore = lambda hook: hooks.update(after=hook)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    snapstart.register()
    assert hooks == {"before": snapstart.before_snapshot, "after": snapstart.after_restore}


@pytest.mark.usefixtures("dynamodb")
def test_sessions_clients_and_randomness_are_new_after_a_restore() -> None:
    session, connection = aws.session(), base.connection()
    random.seed(1)
    first = random.random()
    snapstart.before_snapshot()
    random.seed(1)
    snapstart.after_restore()
    assert aws.session() is not session
    assert base.connection() is not connection
    assert random.random() != first
