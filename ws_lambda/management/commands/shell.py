"""`manage.py shell`: the project's shell, which also knows the classes of `ws_lambda.models`.

Django imports the Django models of a project automatically. The rows in DynamoDB are no Django models.
"""

from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.core.management import find_commands
from django.core.management.commands import shell

from ws_lambda import models

ADMIN_ONLY = "ws_lambda.admin.models"
"""The module of the admin's views of rows. They cannot be queried."""


def _shell_without_ours() -> type[shell.Command]:
    """The command that `manage.py shell` would be if this package had none: another app's own, or Django's."""
    for config in apps.get_app_configs():
        if config.name != "ws_lambda" and "shell" in find_commands(str(Path(config.path, "management"))):
            command: type[shell.Command] = import_module(f"{config.name}.management.commands.shell").Command
            return command
    return shell.Command


class Command(_shell_without_ours()):  # type: ignore[misc]
    """Puts the public rows first, so that a project's own model of the same name wins."""

    def get_auto_imports(self) -> list[str] | None:
        given = super().get_auto_imports()
        if given is None:  # how a project switches automatic imports off
            return None
        rows = [table.__name__ for table in models.ALL_TABLES if table.__name__ in models.__all__]
        useful = [path for path in given if not path.startswith(f"{ADMIN_ONLY}.")]
        return [*(f"ws_lambda.models.{name}" for name in rows), *useful]
