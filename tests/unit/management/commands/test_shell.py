"""`manage.py shell` gives the classes that projects work with, with the admin installed and without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MANAGE = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shell_settings"
from django.core.management import execute_from_command_line
for words in json.loads(sys.argv[1]):
    execute_from_command_line(["manage.py", "shell", *words])
"""
SETTINGS = """
SECRET_KEY = "only-for-tests"
USE_TZ = True
ROOT_URLCONF = "tests.urls"
DATABASES = {{}}
INSTALLED_APPS = {apps}
MIDDLEWARE = []
AUTH_USER_MODEL = "ws_lambda_users.User"
"""
BASE = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages"]
OURS = ["ws_lambda", "ws_lambda.users"]
CLASSES = ("WebSocketSession", "ChannelPermission", "ApiGateway", "WebSocketToken", "RateLimit")


def shell(folder: Path, apps: list[str], *runs: list[str]) -> str:
    """What runs of `manage.py shell` print, one after another in one process; each with its options."""
    (folder / "manage.py").write_text(MANAGE)
    (folder / "shell_settings.py").write_text(SETTINGS.format(apps=apps))
    root = str(Path(__file__).parents[4])
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    env |= {"AWS_REGION": "eu-west-1", "PYTHONPATH": os.pathsep.join([str(folder), root])}
    command = [sys.executable, "manage.py", json.dumps(runs)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


ASK = f"for one in ({', '.join(CLASSES)}): print(one.__name__, one.Meta.table_name, one.scan.__name__)"


@pytest.mark.parametrize(
    "apps",
    [
        ["ws_lambda.admin.apps.AdminConfig", *BASE, *OURS],
        [*BASE, *OURS, "ws_lambda.admin.apps.AdminConfig"],
    ],
    ids=["admin first", "admin last"],
)
def test_the_shell_gives_the_rows_themselves(tmp_path: Path, apps: list[str]) -> None:
    ask_for_admin = "print([name for name in ('LiveOverview', 'AdditionalRoute', 'AdminModel') if name in globals()])"
    printed = shell(tmp_path, apps, ["-c", f"{ASK}\n{ask_for_admin}"])
    assert [line.split()[0] for line in printed.splitlines()[-len(CLASSES) - 1 :]] == [*CLASSES, "[]"]
    assert "could not be" not in printed


def test_django_s_own_shell_does_not_find_the_admin_models_either(tmp_path: Path) -> None:
    """That of a project, too, which comes before ours and asks Django what to import."""
    commands = tmp_path / "tools" / "management" / "commands"
    commands.mkdir(parents=True)
    for folder in (tmp_path / "tools", commands.parent, commands):
        (folder / "__init__.py").write_text("")
    (commands / "shell.py").write_text("from django.core.management.commands.shell import Command\n")
    apps = ["tools", "ws_lambda.admin.apps.AdminConfig", *BASE, *OURS]
    printed = shell(tmp_path, apps, ["-c", ASK])
    assert printed.splitlines()[-1].startswith("RateLimit ")


def test_a_project_keeps_its_own_shell_and_its_own_names(tmp_path: Path) -> None:
    commands = tmp_path / "tools" / "management" / "commands"
    commands.mkdir(parents=True)
    for folder in (tmp_path / "tools", commands.parent, commands):
        (folder / "__init__.py").write_text("")
    (tmp_path / "tools" / "sessions.py").write_text("class WebSocketSession:\n    pass\n")
    (commands / "shell.py").write_text(
        "from django.core.management.commands import shell\n"
        "class Command(shell.Command):\n"
        "    def get_auto_imports(self):\n"
        "        return [*super().get_auto_imports(), 'math.pi', 'tools.sessions.WebSocketSession']\n"
    )
    printed = shell(
        tmp_path, [*BASE, *OURS, "tools"], ["-c", "print(pi, WebSocketSession.__module__, ApiGateway.scan)"]
    )
    assert printed.splitlines()[-1].startswith("3.14159")
    assert "tools.sessions" in printed


def test_without_the_admin_too_and_imports_can_be_switched_off(tmp_path: Path) -> None:
    without = ["--no-imports", "-c", "print('WebSocketSession' in globals())"]
    printed = shell(tmp_path, [*BASE, *OURS], ["-c", ASK], without)
    assert [line.split()[0] for line in printed.splitlines()[-len(CLASSES) - 1 :]] == [*CLASSES, "False"]
    assert "could not be" not in printed
