"""`manage.py ws_tables`: creates, shows and deletes the DynamoDB tables without CloudFormation."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from ws_lambda.conf import conf
from ws_lambda.management import output
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.provisioning import dynamodb_tables


class Command(AwsCommand):
    """`manage.py ws_tables create|status|delete`."""

    help = "Creates, shows or deletes the DynamoDB tables that the project needs. Exit code 1: status found problems."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("create", "status", "delete"))
        parser.add_argument("--json", action="store_true", help="Prints JSON on standard output.")
        parser.add_argument("--yes", action="store_true", help="With delete: does not ask for confirmation.")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "create":
                self._report(dynamodb_tables.create(), "created", "already there", options)
            case "delete":
                self._confirm(options)
                self._report(dynamodb_tables.delete(), "deleted", "was not there", options)
            case _:
                self._status(options)

    def _report(self, done: Any, yes: str, no: str, options: dict[str, Any]) -> None:
        rows = []
        for name, changed in done:
            rows.append((name, yes if changed else no))
            if not options["json"] and options["verbosity"]:
                self.stdout.write(f"{name}: {rows[-1][1]}")
        if options["json"]:
            self.stdout.write(output.as_json(dict(rows)))

    def _confirm(self, options: dict[str, Any]) -> None:
        if options["yes"]:
            return
        word = conf.TABLE_PREFIX or "everything"
        which = f'all tables whose names begin with "{word}"' if conf.TABLE_PREFIX else "all tables of this project"
        if not output.confirmed(f'This deletes {which}, with their data. Type "{word}" to confirm:', word):
            raise CommandError("Nothing was deleted.")

    def _status(self, options: dict[str, Any]) -> None:
        states = list(dynamodb_tables.status())
        if options["json"]:
            self.stdout.write(output.as_json([vars(state) for state in states]))
        else:
            rows = [(state.name, state.status, state.items, "; ".join(state.wrong)) for state in states]
            self.stdout.write(output.table(("table", "status", "items", "problems"), rows))
        if bad := [state.name for state in states if not state.right]:
            raise CommandError(
                f"{len(bad)} of {len(states)} tables have problems. `ws_tables create` creates missing tables, "
                "and switches on TTL and point-in-time recovery."
            )
