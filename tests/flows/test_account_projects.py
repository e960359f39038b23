"""Whole projects in processes of their own: one without SQL, one that keeps its SQL users.

DynamoDB is moto's server, so that one process finds what another has stored.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import dynamodb_server

ROOT = Path(__file__).parents[2]

SETTINGS = """
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
ROOT_URLCONF = "site_urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [
    ("django.template.loaders.locmem.Loader", {"registration/login.html": "{{ form.errors }}"})]}}]
SESSION_ENGINE = "ws_lambda.session_store"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""

NO_SQL = """
DATABASES = {}
INSTALLED_APPS += ["ws_lambda.users"]
AUTH_USER_MODEL = "ws_lambda_users.User"
AUTHENTICATION_BACKENDS = ["ws_lambda.users.backends.DynamoDBBackend"]
"""

SQL = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""

URLS = """
from django.contrib.auth import views
from django.http import HttpResponse
from django.urls import path

urlpatterns = [
    path("login/", views.LoginView.as_view(next_page="/")),
    path("logout/", views.LogoutView.as_view(next_page="/")),
    path("", lambda request: HttpResponse(f"{request.user} {request.user.is_superuser}")),
]
"""

PRELUDE = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
import django
django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from ws_lambda.session_store import DjangoSession

def log_in(username, password):
    client = Client()
    response = client.post("/login/", {"username": username, "password": password})
    assert response.status_code == 302, response.content
    return client
"""

BEGIN = """
from django.core.management import execute_from_command_line

execute_from_command_line(["manage.py", "check"])
execute_from_command_line(["manage.py", "makemigrations", "--check", "--dry-run"])
from ws_lambda.users.user_row import UserRow
for table in (DjangoSession, UserRow):
    table.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
execute_from_command_line("manage.py createsuperuser --noinput --username Boss --email boss@example.com".split())
"""

LOG_IN_AND_OUT = """
client = log_in("boss", "first-secret")
assert client.get("/").content == b"boss True"
assert len(list(DjangoSession.scan())) == 1
client.post("/logout/")
assert client.get("/").content == b"AnonymousUser False"
assert list(DjangoSession.scan()) == []
"""

CHANGE_PASSWORD = """
import getpass, warnings
from django.core.management import execute_from_command_line

warnings.simplefilter("ignore", getpass.GetPassWarning)
execute_from_command_line(["manage.py", "changepassword", "boss"])
"""

KEEP_SQL_USERS = (
    """
from django.core.management import call_command
from django.contrib.sessions.management.commands import clearsessions
from django.db import connection

call_command("check")
call_command("migrate", verbosity=0)
DjangoSession.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
assert "django_session" not in connection.introspection.table_names()
get_user_model().objects.create_superuser("boss", password="first-secret")
"""
    + LOG_IN_AND_OUT
    + """
client = log_in("boss", "first-secret")
client.session.set_expiry(10)
call_command(clearsessions.Command())
assert client.get("/").content == b"boss True"
print(get_user_model()._meta.label)
"""
)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a project's processes, with a DynamoDB behind it."""
    (tmp_path / "site_urls.py").write_text(URLS)
    with dynamodb_server.serving() as url:
        yield {
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "PYTHONWARNINGS": "error",
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "AWS_ENDPOINT_URL_DYNAMODB": url,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }


def run(environment: dict[str, str], *arguments: str, typed: str = "", **more: str) -> str:
    """Runs Python in the project, with no terminal to ask at; its output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**environment, **more},
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_project_without_sql(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "site_settings.py").write_text(SETTINGS + NO_SQL)
    begun = run(environment, "-c", PRELUDE + BEGIN, DJANGO_SUPERUSER_PASSWORD="first-secret")
    assert "no issues" in begun
    assert "No changes" in begun
    assert "created successfully" in begun
    changed = run(environment, "-c", PRELUDE + LOG_IN_AND_OUT + CHANGE_PASSWORD, typed="second-secret\n" * 2)
    assert "changed successfully" in changed
    run(environment, "-c", PRELUDE + LOG_IN_AND_OUT.replace("first-secret", "second-secret"))


def test_a_project_that_keeps_its_sql_users(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "site_settings.py").write_text(SETTINGS + SQL)
    assert run(environment, "-c", PRELUDE + KEEP_SQL_USERS).strip().endswith("auth.User")
