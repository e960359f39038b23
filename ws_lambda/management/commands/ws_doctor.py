"""`manage.py ws_doctor`: checks a deployment."""

import os
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from django.core.management.base import CommandError, CommandParser

from ws_lambda.conf import conf
from ws_lambda.management import output
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.provisioning import doctor

MARKS = {"ok": "ok", "warning": "!", "error": "WRONG"}


class Command(AwsCommand):
    """Prints a line for each check, with advice where something is wrong."""

    help = "Checks the tables, API, role, queue, clock and secrets of a deployment. Exit code 1: something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--function", default="", help="The deployed function, such as demo-dev (project_name and stage)."
        )
        parser.add_argument("--api-id", default="", help="The id of the WebSocket API. Not needed with --function.")
        parser.add_argument("--url", default="", help="The URL that clients connect to. Not needed with --function.")
        parser.add_argument("--no-reach", action="store_true", help="Does not try to reach the URL.")
        parser.add_argument("--strict", action="store_true", help="Exits with 1 for warnings, too.")
        parser.add_argument("--json", action="store_true", help="Prints JSON on standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(doctor.examine(self._deployment(options), reach=not options["no_reach"]))
        if options["json"]:
            self.stdout.write(output.as_json([vars(one) for one in found]))
        else:
            for one in found:
                self._say(one)
        bad = [one for one in found if one.level == "error" or (options["strict"] and one.level == "warning")]
        if bad:
            raise CommandError(f"{len(bad)} of {len(found)} checks failed.")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"{len(found)} checks, no errors."))

    def _deployment(self, options: dict[str, Any]) -> doctor.Deployment:
        if options["function"]:
            try:
                return doctor.Deployment.of_function(options["function"])
            except ClientError as error:
                raise CommandError(f"{options['function']}: {error}") from error
        url = options["url"] or conf.WEBSOCKET_URL or os.environ.get("WS_LAMBDA_WEBSOCKET_URL", "")
        if urlsplit(url).scheme == "ws" and not options["api_id"]:
            raise CommandError(
                f"{url} belongs to a local run of ws_local. Name the deployed function, such as --function demo-dev."
            )
        named = [options["api_id"], *conf.GATEWAY_IDS, *os.environ.get("WS_LAMBDA_GATEWAY_IDS", "").split(",")]
        api_id = next((one for one in named if one), "")
        stage = urlsplit(url).path.strip("/")
        return doctor.Deployment(api_id=api_id, stage=stage, url=url, queue_url=conf.FANOUT_QUEUE_URL)

    def _say(self, one: doctor.Finding) -> None:
        paint = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "error": self.style.ERROR}[one.level]
        self.stdout.write(f"{paint(MARKS[one.level].ljust(5))}  {one.subject.ljust(10)}  {one.text}")
        if one.advice and one.level != "ok":
            self.stdout.write(f"{' ' * 19}-> {one.advice}")
