"""`manage.py ws_local`: runs Django, API Gateway and DynamoDB on this machine."""

import secrets
from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ws_lambda.local import fault_injection, quotas
from ws_lambda.local import options as uncertain
from ws_lambda.local.accounts import AccountsError
from ws_lambda.local.run_options import HANDLER, RunOptions
from ws_lambda.local.supervisor import PortTakenError, Supervisor


class Command(BaseCommand):
    help = "Runs the project with a local API Gateway and a local DynamoDB. Nothing leaves this machine."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="The port of the site. Default: 8000.")
        parser.add_argument("--ws-port", type=int, default=8001, help="The port of the gateway. Default: 8001.")
        parser.add_argument(
            "--handler",
            default=HANDLER,
            metavar="PATH",
            help="The dotted path of the Lambda handler. Default: %(default)s.",
        )
        parser.add_argument(
            "--integration",
            choices=("lambda", "http"),
            default="lambda",
            help="How events reach the views: through the Lambda handler, or as HTTP requests to the views' URLs.",
        )
        parser.add_argument(
            "--quota",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"Replaces a quota of AWS. Names: {', '.join(one.name for one in fields(quotas.Quotas))}.",
        )
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="Changes an assumption about AWS that its documentation leaves open. Names: "
            + ", ".join(one.name for one in fields(uncertain.Options))
            + ".",
        )
        parser.add_argument("--noreload", action="store_true", help="Does not restart when code changes.")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"Injects a fault repeatedly. Names: {', '.join(fault_injection.names())}.",
        )
        parser.add_argument(
            "--latency",
            default="",
            metavar="MS",
            help="Delays every event by this many milliseconds, such as 50 or 20-80.",
        )
        parser.add_argument("--seed", type=int, help="Seeds the random faults and ids, so that a run can be repeated.")
        parser.add_argument(
            "--speed",
            type=float,
            default=1.0,
            help="Makes the gateway's clock run faster. At 60, idle sockets close after 10 seconds.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = RunOptions(
                port=options["port"],
                ws_port=options["ws_port"],
                handler=options["handler"],
                integration=options["integration"],
                quotas=quotas.parse(options["quota"]),
                options=uncertain.parse(["forwarded_proto=http", *options["option"]]),
                reload=not options["noreload"],
                faults=fault_injection.parse(options["fault"], options["latency"]),
                seed=secrets.randbelow(1_000_000) if options["seed"] is None else options["seed"],
                speed=options["speed"],
            )
            code = Supervisor(run, self._say).run()
        except (AccountsError, ImproperlyConfigured, PortTakenError, ValueError) as wrong:
            raise CommandError(str(wrong)) from wrong
        except KeyboardInterrupt:
            code = 0
        if code:
            raise SystemExit(code)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
