"""`manage.py ws_gateway`: creates WebSocket APIs from their records, and keeps the two in step."""

from argparse import ArgumentParser
from textwrap import shorten
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.management import gateway_options, output
from ws_lambda.management.aws_command import AwsCommand
from ws_lambda.provisioning import adopt, create, lease, rules, sync, update
from ws_lambda.provisioning.create import Progress, Step
from ws_lambda.provisioning.state import Difference
from ws_lambda.tables.gateways import ApiGateway

BUSY = 3
"""The exit code when another process is working on the gateway. The command may succeed later."""


class Command(AwsCommand):
    help = (
        "Creates and manages API Gateway WebSocket APIs. "
        "Exit codes: 0 success, 1 refused or failed, 2 wrong usage, 3 another process is working on the gateway."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        make = self._action(
            actions, "create", "Creates the WebSocket API, or continues an attempt that was interrupted."
        )
        gateway_options.add_to(make)
        change = self._action(actions, "update", "Changes the record, and AWS with it.")
        gateway_options.add_to(change)
        gateway_options.add_removals_to(change)
        self._action(actions, "domain", "Creates the custom domain, the API mapping and the DNS alias.")
        routes = actions.add_parser("route", help="Adds or removes an additional route.")
        verbs = routes.add_subparsers(dest="verb", required=True, metavar="add|remove")
        add = self._action(verbs, "add", "Adds a route. On a deployed gateway, the route is deployed at once.")
        add.add_argument("route_key", help="The value of the route selection expression that selects the route.")
        add.add_argument("--name", dest="route_name", default="", help="A name for people. Default: the route key.")
        add.add_argument(
            "--target",
            default="",
            help="A URL path or an https URL. Default: the route key, appended to the base endpoint.",
        )
        self._action(verbs, "remove", "Removes a route.").add_argument("route_key")
        agree = self._action(
            actions, "sync", "Shows how the record and AWS differ. With a direction, makes them equal."
        )
        way = agree.add_mutually_exclusive_group()
        way.add_argument("--to-aws", action="store_true", help="Changes AWS to match the record.")
        way.add_argument("--from-aws", action="store_true", help="Changes the record to match AWS.")
        agree.add_argument("--dry-run", action="store_true", help="Shows what would change, and changes nothing.")
        take = self._action(actions, "adopt", "Registers an API that something else created, such as zappa deploy.")
        take.add_argument("api_id", help="The API id: the first part of the generated address.")
        take.add_argument("--stage", default="", help="The stage. Needed only if the API has several.")
        gateway_options.add_to(take, "default_channel_name")
        self._action(actions, "status", "Shows one gateway, or all of them.", name_needed=False)
        end = self._action(actions, "delete", "Deletes the API (unless it was adopted), its domain and the record.")
        end.add_argument("--yes", action="store_true", help="Does not ask for confirmation.")
        end.add_argument(
            "--keep-aws", action="store_true", help="Deletes only the record. The API and the domain stay."
        )

    def _action(self, actions: Any, name: str, meaning: str, *, name_needed: bool = True) -> ArgumentParser:
        parser: ArgumentParser = actions.add_parser(name, help=meaning, description=meaning)
        parser.add_argument("name", nargs=None if name_needed else "?", help="The name of the gateway (API name).")
        parser.add_argument("--json", action="store_true", help="Prints JSON on standard output.")
        return parser

    def handle(self, *_args: Any, **options: Any) -> None:
        action = options["action"] if options["action"] != "route" else f"route_{options['verb']}"
        try:
            getattr(self, f"do_{action}")(**options)
        except lease.GatewayBusyError as error:
            raise CommandError(str(error), returncode=BUSY) from error
        except ProvisioningError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            lines = [f"{field}: {sentence}" for field, said in error.message_dict.items() for sentence in said]
            raise CommandError("\n".join(lines)) from error

    def do_create(self, *, name: str, **options: Any) -> None:
        fields = gateway_options.given(options)
        exists = bool(ApiGateway.count(name))
        if exists and fields:
            raise CommandError(f"Gateway {name!r} already exists. Use `ws_gateway update {name} …` to change it.")
        if not exists:
            record = ApiGateway(api_name=name)
            gateway_options.apply(record, fields)
            rules.check(record)
            lease.save(record)
        record = create.create(name, self._progress(options))
        self._show(record, options)
        if record.domain_name and not record.reached(create.DOMAIN_STEPS[-1].reaches):
            self.stderr.write(f"Next, run `ws_gateway domain {name}` to set up {record.domain_name}.")

    def do_update(self, *, name: str, **options: Any) -> None:
        record = lease.load(name)
        gateway_options.apply(record, gateway_options.given(options))
        gateway_options.remove(record, options)
        self._show(update.save(record), options)

    def do_domain(self, *, name: str, **options: Any) -> None:
        self._show(create.create_domain(name, self._progress(options)), options)

    def do_route_add(self, *, name: str, route_key: str, **options: Any) -> None:
        called = options["route_name"] or route_key
        record = update.add_route(name, name=called, route_key=route_key, target=options["target"])
        self._show(record, options)

    def do_route_remove(self, *, name: str, route_key: str, **options: Any) -> None:
        self._show(update.remove_route(name, route_key), options)

    def do_sync(self, *, name: str, **options: Any) -> None:
        found, left = sync.differences(lease.load(name)), list[Difference]()
        acts = not options["dry_run"] and (options["to_aws"] or options["from_aws"])
        if acts and options["to_aws"]:
            found = sync.to_aws(name)
        elif acts:
            found, left = sync.from_aws(name)
        if options["json"]:
            said = {"applied": bool(acts), "differences": _as_rows(found), "left": _as_rows(left)}
            self.stdout.write(output.as_json(said))
            return
        if not found and not left:
            self.stdout.write("The record and AWS are equal.")
            return
        shown = [(one.name, one.record, one.aws) for one in [*found, *left]]
        self.stdout.write(output.table(("field", "record", "AWS"), shown))
        self.stdout.write(self._outcome(options, bool(acts), len(left)))

    def _outcome(self, options: dict[str, Any], acted: bool, left: int) -> str:
        if not acted:
            return "Nothing was changed. Use --to-aws or --from-aws, without --dry-run, to make them equal."
        side = "AWS" if options["to_aws"] else "The record"
        rest = f" A record cannot hold {left} of these differences: use --to-aws to remove them." if left else ""
        return f"{side} was changed.{rest}"

    def do_adopt(self, *, name: str, api_id: str, **options: Any) -> None:
        record = adopt.adopt(
            name, api_id, stage=options["stage"], default_channel=options.get("default_channel_name", "")
        )
        self._show(record, options)

    def do_status(self, *, name: str | None, **options: Any) -> None:
        if name:
            self._show(lease.load(name), options)
            return
        records = sorted(ApiGateway.scan(), key=lambda record: record.api_name)
        if options["json"]:
            self.stdout.write(output.as_json([gateway_options.described(record) for record in records]))
            return
        if not records:
            self.stdout.write(
                "No gateway is registered. Use `ws_gateway create` to create one, "
                "or `ws_gateway adopt` to register an existing API."
            )
            return
        rows = [
            (r.api_name, r.status, r.api_id, r.websocket_url, len(r.additional_routes), shorten(r.last_error, 60))
            for r in records
        ]
        self.stdout.write(output.table(("gateway", "status", "API id", "URL", "routes", "last error"), rows))

    def do_delete(self, *, name: str, **options: Any) -> None:
        record = lease.load(name)
        if not options["yes"]:
            api = f"API {record.api_id}{', which stays' if record.adopted else ''}" if record.api_id else "no API"
            what = "the record, and nothing in AWS" if options["keep_aws"] else "the record, and what it made in AWS"
            asked = f"This deletes gateway {name!r} ({api}): {what}. Type the name of the gateway to confirm:"
            if not output.confirmed(asked, name):
                raise CommandError("Nothing was deleted.")
        update.delete(name, keep_aws=options["keep_aws"])
        said = {"deleted": name, "kept_aws": options["keep_aws"]}
        self.stdout.write(output.as_json(said) if options["json"] else f"Gateway {name!r} was deleted.")

    def _progress(self, options: dict[str, Any]) -> create.Report:
        # With --json, standard output belongs to the program that reads it.
        stream = self.stderr if options["json"] else self.stdout
        words = {Progress.DONE: "done", Progress.SKIPPED: "already there", Progress.FAILED: "failed"}

        def report(step: Step, progress: Progress) -> None:
            if progress is Progress.STARTED:
                stream.write(f"{step.label} … ", ending="")
                stream.flush()
            elif progress is Progress.SKIPPED:
                stream.write(f"{step.label} … {words[progress]}")
            else:
                stream.write(words[progress])

        return report

    def _show(self, record: ApiGateway, options: dict[str, Any]) -> None:
        said = gateway_options.described(record)
        if options["json"]:
            self.stdout.write(output.as_json(said))
            return
        routes = said.pop("additional_routes")
        self.stdout.write(output.facts({**said, "tags": ", ".join(f"{k}={v}" for k, v in said["tags"].items())}))
        if routes:
            rows = [(route["route_key"], route["name"], route["target"]) for route in routes]
            self.stdout.write("\n" + output.table(("additional route", "name", "target"), rows))


def _as_rows(differences: list[Difference]) -> list[dict[str, str]]:
    return [{"name": one.name, "record": one.record, "aws": one.aws} for one in differences]
