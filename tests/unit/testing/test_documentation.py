"""docs/testing.md: its examples run, in a project of their own that has nothing but the built wheel."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.local_site import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)
EXAMPLES = [block for block in BLOCKS if "def test_" in block]
(VIEW,) = (block for block in BLOCKS if "(WebSocketView)" in block)

UNUSED = ("cacheprovider", "asyncio", "randomly", "hypothesispytest", "xdist", "xdist.looponfail", "pytest_cov")
"""Plugins of this environment that a user need not have. Loading them takes a second."""

PYTEST = ("pytest", *(word for name in UNUSED for word in ("-p", f"no:{name}")))
SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "ws_lambda", "ws_lambda.users"]
DATABASES = {}
ROOT_URLCONF = "urls"
AUTH_USER_MODEL = "ws_lambda_users.User"
AUTHENTICATION_BACKENDS = ["ws_lambda.users.backends.DynamoDBBackend"]
SESSION_ENGINE = "ws_lambda.session_store"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
URLS = f"""
from django.urls import path
{VIEW}
urlpatterns = [path("ws/<slug:route>", HelloView.as_view())]
"""
SQL = """
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "ws_lambda"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "auth.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
"""
TESTS_WITH_SQL = """
from django.contrib.auth.models import User
from django.test import TestCase, override_settings
from ws_lambda.testing import ConnectRefused, WebSocketTestMixin

class HelloTests(WebSocketTestMixin, TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = User.objects.create_user("alice", password="secret")

    def test_a_message_is_answered(self):
        ws = self.ws_client(user=self.alice)
        ws.send_json({"action": "hello"})
        self.assertEqual(ws.receive_json(), {"hello": "alice"})
        User.objects.update(is_active=False)
        self.ws_gateway.advance(61)
        ws.send_json({"action": "hello"})
        self.assertFalse(ws.connected)

    @override_settings(WS_LAMBDA={"UNLISTED_CHANNELS": "nobody"})
    def test_settings_of_one_test(self):
        self.assertTrue(User.objects.get().is_active)
        with self.assertRaises(ConnectRefused):
            self.ws_client(user=self.alice, channel="general")

# pytest
def test_a_message_is_answered(db, ws_client, django_user_model):
    ws = ws_client(user=django_user_model.objects.create_user("bob"))
    ws.send_json({"action": "hello"})
    assert ws.receive_json() == {"hello": "bob"}
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """An interpreter with the wheel, and the dependencies of this one: no network is asked."""
    folder = tmp_path_factory.mktemp("user")
    wheels = folder / "wheels"
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    wheels.mkdir()
    subprocess.run([sys.executable, "-c", build, str(wheels)], cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    own = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(own))
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, *map(str, wheels.glob("*.whl"))], check=True, capture_output=True)
    return python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project made from scratch."""
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = .\n")
    return tmp_path


def run(python: Path, project: Path, *arguments: str, program: tuple[str, ...] = PYTEST, **more: str) -> str:
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_", "DJANGO_", "PYTEST_"))
    }
    env.pop("PYTHONPATH", None)
    ended = subprocess.run(
        [str(python), "-m", *program, *arguments], cwd=project, env=env | more, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_the_examples_run_in_a_users_project(python, project):
    """With the wheel's own plugin."""
    for number, example in enumerate(EXAMPLES):
        (project / f"test_example_{number}.py").write_text(example)
    (project / "test_where.py").write_text(
        "import ws_lambda\n"
        "def test_where(ws_gateway):\n"
        "    assert 'site-packages' in ws_lambda.__file__\n"
        "    assert ws_gateway.connections == []\n"
    )
    assert len(EXAMPLES) == 8
    assert "9 passed" in run(python, project, "-q")


def test_pytest_without_a_plugin_for_django(python, project):
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (project / "conftest.py").write_text(
        "import os, django\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\ndjango.setup()\n"
    )
    for number, example in enumerate(EXAMPLES):
        (project / f"test_example_{number}.py").write_text(example)
    assert "8 passed" in run(python, project, "-q", "-p", "no:django")


def test_users_in_sql(python, project):
    (project / "settings.py").write_text(SETTINGS + SQL)
    (project / "test_sql.py").write_text(TESTS_WITH_SQL)
    assert "3 passed" in run(python, project, "-q")


def test_the_examples_run_with_users_in_sql_if_they_ask_for_db(python, project):
    (project / "settings.py").write_text(SETTINGS + SQL)
    for number, example in enumerate(EXAMPLES):
        in_sql = re.sub(r"def (test_\w+)\(ws_", r"def \1(db, ws_", example).replace("SimpleTestCase", "TestCase")
        in_sql = in_sql.replace('["UpdateItem", "GetItem"]', '["UpdateItem"]')
        (project / f"test_example_{number}.py").write_text(in_sql)
    assert "8 passed" in run(python, project, "-q")


def test_djangos_own_runner(python, project):
    (project / "settings.py").write_text(SETTINGS + SQL)
    (project / "test_sql.py").write_text(TESTS_WITH_SQL.partition("# pytest")[0])
    said = run(python, project, "test", program=("django",), DJANGO_SETTINGS_MODULE="settings", PYTHONPATH=".")
    assert "Ran 2 tests" in said
    assert "OK" in said


def test_the_plugin_loads_neither_django_nor_aws_before_it_is_used(python, project):
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    assert 'ws_lambda.testing.plugin' in sys.modules\n"
        "    assert not {'botocore', 'pynamodb', 'aiohttp', 'ws_lambda.local'} & set(sys.modules)\n"
    )
    run(python, project, "-q", "-p", "no:django")
