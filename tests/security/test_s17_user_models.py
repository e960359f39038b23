"""S17: a user loses a right, with each user model."""

import os
import subprocess
import sys
from pathlib import Path

from django.contrib.auth import get_user_model

from tests.security import rights_story
from ws_lambda.users.user_row import UserRow

ROOT = Path(__file__).parents[2]


def test_users_in_dynamodb(ws_gateway):
    def demote(user):
        UserRow(user.pk).update([UserRow.is_staff.set(False), UserRow.is_superuser.set(False)])

    rights_story.story(ws_gateway, demote)
    rights_story.names_story(get_user_model())


def test_users_in_sql(tmp_path):
    texts = {"site_settings": "SQL_SETTINGS", "site_urls": "SQL_URLS", "program": "SQL_PROGRAM"}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(getattr(rights_story, text))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    env |= {"DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.endswith("done\n"), done.stdout + done.stderr
