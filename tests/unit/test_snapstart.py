"""A restored environment has no state of the one that the snapshot was taken of."""

import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ws_lambda import snapstart
from ws_lambda.models.channel_permissions import permission_for


def test_lambda_is_told_of_both_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: dict[str, Any] = {}
    runtime = ModuleType("snapshot_restore_py")  # part of Lambda's runtimes
    runtime.register_before_snapshot = lambda hook: hooks.update(before=hook)  # type: ignore[attr-defined]
    runtime.register_after_restore = lambda hook: hooks.update(after=hook)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    snapstart.register()
    assert hooks == {"before": snapstart.before_snapshot, "after": snapstart.after_restore}


@pytest.mark.usefixtures("ws_tables")
def test_permissions_and_randomness_are_new_after_a_restore(ws_requests: list[str]) -> None:
    permission_for("general")
    permission_for("general")
    assert ws_requests == ["Scan"]
    random.seed(1)
    first = random.random()
    snapstart.before_snapshot()
    random.seed(1)
    snapstart.after_restore()
    assert random.random() != first
    permission_for("general")
    assert ws_requests == ["Scan", "Scan"]


WITH_SQL = """
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file.sqlite3"}})
django.setup()
from django.db import connection
from ws_lambda import snapstart
connection.ensure_connection()
assert connection.connection is not None
snapstart.before_snapshot()
assert connection.connection is None
"""


def test_the_snapshot_has_no_open_connection_to_a_database(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", WITH_SQL], check=True, cwd=tmp_path, env=environment)
