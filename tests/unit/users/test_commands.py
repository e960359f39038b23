"""Django's own commands over users in DynamoDB."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ws_lambda.users.models import User


def run(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_createsuperuser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "boss-secret")
    assert "created" in run("createsuperuser", interactive=False, username="Boss", email="boss@example.com")
    boss = User.objects.get(pk="boss")
    assert (boss.is_superuser, boss.is_staff, boss.check_password("boss-secret")) == (True, True, True)
    with pytest.raises(CommandError, match="already taken"):
        run("createsuperuser", interactive=False, username="BOSS", email="boss@example.com")
    with pytest.raises(CommandError, match="valid username"):
        run("createsuperuser", interactive=False, username="no spaces", email="boss@example.com")


class Terminal(StringIO):
    """What createsuperuser asks its questions in."""

    def isatty(self) -> bool:
        return True


def test_createsuperuser_asks_what_it_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("taken")
    answers = iter(["Taken", "no spaces", "Boss", "boss@example.com"])
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or next(answers))
    monkeypatch.setattr("getpass.getpass", lambda _question="": "boss-and-secret")
    said = run("createsuperuser", stdin=Terminal())
    assert [re.match(r"\w+", question)[0] for question in asked] == ["Username", "Username", "Username", "Email"]
    assert "already taken" in said
    assert "valid username" in said
    assert "Superuser created" in said
    assert User.objects.get(pk="boss").check_password("boss-and-secret")


def test_changepassword(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("red", password="old")
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "new-and-long")
    assert "changed successfully" in run("changepassword", "Red")
    assert User.objects.get(pk="red").check_password("new-and-long")
    with pytest.raises(CommandError, match="does not exist"):
        run("changepassword", "nobody")


def test_the_projects_checks_pass_and_no_migration_is_wanted() -> None:
    run("check")
    run("makemigrations", "--check", "--dry-run")
