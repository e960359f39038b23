"""docs/testing.md: its examples run, in a project of their own that has nothing but the built wheel."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.local_site import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)

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
URLS = """
from django.urls import path
from ws_lambda.views import WebSocketView

class Hello(WebSocketView):
    def hello(self, request, *args, **kwargs):
        return {"hello": request.user.get_username()}

urlpatterns = [path("ws/<slug:route>", Hello.as_view())]
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


def run(python: Path, project: Path, *arguments: str) -> str:
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_", "DJANGO_", "PYTEST_"))
    }
    env.pop("PYTHONPATH", None)
    ended = subprocess.run(
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", *arguments],
        cwd=project, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_examples_run_in_a_users_project(python, project):
    for number, example in enumerate(EXAMPLES):
        (project / f"test_example_{number}.py").write_text(example)
    assert len(EXAMPLES) == 5
    assert "5 passed" in run(python, project, "-q")


def test_the_plugin_is_the_wheels_own(python, project):
    (project / "test_where.py").write_text(
        "import ws_lambda\n"
        "def test_where(ws_gateway):\n"
        "    assert 'site-packages' in ws_lambda.__file__\n"
        "    assert ws_gateway.connections == []\n"
    )
    assert "1 passed" in run(python, project, "-q")


def test_the_plugin_loads_neither_django_nor_aws_before_it_is_used(python, project):
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    assert 'ws_lambda.testing.plugin' in sys.modules\n"
        "    assert not {'botocore', 'pynamodb', 'aiohttp', 'ws_lambda.local'} & set(sys.modules)\n"
    )
    run(python, project, "-q", "-p", "no:django")
