"""The base of the commands that speak to AWS."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ws_lambda.provisioning import aws_errors


class AwsCommand(BaseCommand):
    """A command that ends with one line where AWS cannot be reached, refuses, or lacks a table.

    `--traceback` shows the whole error, as with any command.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except aws_errors.ERRORS as error:
            raise CommandError(aws_errors.explained(error)) from error
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
