"""What commands that talk to AWS have in common."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError
from pynamodb.exceptions import PynamoDBException


class AwsCommand(BaseCommand):
    """A command whose trouble with AWS is told in a sentence; `--traceback` shows where it was."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"AWS: {error}") from error
        except PynamoDBException as error:
            hint = " Are the tables there? `ws_tables status` tells." if "ResourceNotFound" in str(error) else ""
            raise CommandError(f"DynamoDB: {error}{hint}") from error
