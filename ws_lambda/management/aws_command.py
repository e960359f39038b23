"""The base class of commands that call AWS."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ws_lambda.provisioning import aws_errors


class AwsCommand(BaseCommand):
    """A command that reports an error of AWS in one line: no connection, a refusal, or a missing table.

    `--traceback` shows the whole error, as it does for any Django command.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except aws_errors.ERRORS as error:
            raise CommandError(aws_errors.explained(error)) from error
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
