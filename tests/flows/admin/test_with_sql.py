"""The same pages in a project that has SQL: Django's own users, permissions, sessions and log."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

SETTINGS = """
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
ROOT_URLCONF = "sql_site_urls"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ws_lambda",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""

URLS = """
from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
"""

PROGRAM = """
import warnings

warnings.simplefilter("error")
import django

django.setup()
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from ws_lambda.models import ApiGateway, ChannelPermission, WebSocketSession
from ws_lambda.tables.admin_log import AdminAction
from ws_lambda.testing.database import tables

call_command("check", fail_level="ERROR")
call_command("migrate", verbosity=0)
call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
from django.db import connection

assert not [name for name in connection.introspection.table_names() if name.startswith("ws_lambda")]
with tables():
    clerk = User.objects.create_user("clerk", password="pw", is_staff=True)
    client = Client()
    assert client.login(username="clerk", password="pw")
    page = "/admin/ws_lambda/channelpermission/"
    assert client.get(page).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_channelpermission"))
    added = client.post(page + "add/", {"channel_name": "a", "access": "staff_only", "rules": ""}, follow=True)
    assert added.status_code == 200 and "was added successfully" in added.content.decode()
    client.post(page + "a/change/", {"access": "allow_all", "rules": ""})
    assert ChannelPermission.get("a").access == "allow_all"
    history = client.get(page + "a/history/").content.decode()
    assert "Added." in history and "Changed Access." in history
    assert client.get("/admin/ws_lambda/apigateway/").status_code == 403
    User.objects.create_superuser("root", password="pw")
    root = Client()
    root.login(username="root", password="pw")
    for name in ("apigateway", "websocketsession", "ratelimit", "websockettoken", "liveoverview"):
        assert root.get(f"/admin/ws_lambda/{name}/").status_code == 200, name
    assert root.get("/admin/ws_lambda/apigateway/add/").status_code == 200
    assert "Groups" in root.get("/admin/").content.decode()
    client.post(page + "a/delete/", {"post": "yes"})
    assert ChannelPermission.count() == 0
    assert [(e.action_flag, e.object_id) for e in LogEntry.objects.order_by("pk")] == [(1, "a"), (2, "a"), (3, "a")]
    gateways = "/admin/ws_lambda/apigateway/"
    typed = {
        "api_name": "chat", "integration": "lambda", "tags": "{}", "stage_name": "production", "route_key": "$default",
        "lambda_function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:chat",
        "route_selection_expression": "$request.body.action",
        "api_key_selection_expression": "$request.header.x-api-key",
        "routes-TOTAL_FORMS": "1", "routes-INITIAL_FORMS": "0", "routes-0-name": "H", "routes-0-route_key": "history",
    }
    added = root.post(gateways + "add/", typed, follow=True)
    assert "was added successfully" in added.content.decode()
    assert [route.route_key for route in ApiGateway.get("chat").additional_routes] == ["history"]
    now = timezone.now()
    WebSocketSession(
        "C1=", api_id="abc", endpoint_url="", connected=True, live_shard="0", connected_at=now, last_seen_at=now,
        expires_at=now,
    ).save()
    asked = root.post("/admin/ws_lambda/websocketsession/", {"action": "disconnect", "_selected_action": "C1="})
    assert asked.status_code == 302 and not WebSocketSession.get("C1=").connected
    root.post(gateways, {"action": "create_api_gateway", "_selected_action": "chat"})
    assert ApiGateway.get("chat").api_id
    noted = [(e.action_flag, e.object_id, e.get_change_message()) for e in LogEntry.objects.order_by("pk")[3:]]
    assert noted == [
        (1, "chat", "Added. Added additional route “history”."),
        (2, "chat", "Create API Gateway. WebSocket API: done. The next step failed."),
    ], noted
    assert "Create API Gateway. WebSocket API: done." in root.get(gateways + "chat/history/").content.decode()
    assert AdminAction.count() == 0
    assert "a" in client.get("/admin/").content.decode()
print("done")
"""


def test_the_admin_of_a_project_with_sql(tmp_path: Path) -> None:
    (tmp_path / "sql_site_settings.py").write_text(SETTINGS)
    (tmp_path / "sql_site_urls.py").write_text(URLS)
    (tmp_path / "program.py").write_text(PROGRAM)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    env |= {
        "DJANGO_SETTINGS_MODULE": "sql_site_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.endswith("done\n"), done.stderr
