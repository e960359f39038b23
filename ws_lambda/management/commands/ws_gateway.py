"""`manage.py ws_gateway`: WebSocket APIs, from the record to AWS and back."""

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
"""The exit code when another process is working on the gateway: trying again later may help."""


class Command(AwsCommand):
    help = (
        "Creates and looks after API Gateway WebSocket APIs. "
        "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 another process is working on the gateway."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        make = self._action(actions, "create", "make the WebSocket API, or go on where an earlier attempt stopped")
        gateway_options.add_to(make)
        change = self._action(actions, "update", "change the record, and AWS with it")
        gateway_options.add_to(change)
        gateway_options.add_removals_to(change)
        self._action(actions, "domain", "give the gateway its custom domain, API mapping and DNS alias")
        routes = actions.add_parser("route", help="add or remove an additional route")
        verbs = routes.add_subparsers(dest="verb", required=True, metavar="add|remove")
        add = self._action(verbs, "add", "add a route, and deploy it where the gateway is deployed")
        add.add_argument("route_key", help="the value of the route selection expression that selects it")
        add.add_argument("--name", dest="route_name", default="", help="what people call it (the route key)")
        add.add_argument("--target", default="", help="URL path or https URL (the route key, appended to the base)")
        self._action(verbs, "remove", "remove a route").add_argument("route_key")
        agree = self._action(actions, "sync", "show where record and AWS differ; with a direction, make them agree")
        way = agree.add_mutually_exclusive_group()
        way.add_argument("--to-aws", action="store_true", help="make AWS what the record asks for")
        way.add_argument("--from-aws", action="store_true", help="make the record say what AWS has")
        agree.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        take = self._action(actions, "adopt", "register an API that something else made, such as zappa deploy")
        take.add_argument("api_id", help="the first part of the API's generated address")
        take.add_argument("--stage", default="", help="which stage, where there are several")
        take.add_argument("--default-channel", default="", help="the channel of clients that name none")
        self._action(actions, "status", "show one gateway, or all", name_needed=False)
        end = self._action(actions, "delete", "delete the API (unless it was adopted), its domain and the record")
        end.add_argument("--yes", action="store_true", help="do not ask")
        end.add_argument("--keep-aws", action="store_true", help="forget the record only, and leave its domain too")

    def _action(self, actions: Any, name: str, meaning: str, *, name_needed: bool = True) -> ArgumentParser:
        parser: ArgumentParser = actions.add_parser(name, help=meaning, description=meaning)
        parser.add_argument("name", nargs=None if name_needed else "?", help="the gateway's name (API name)")
        parser.add_argument("--json", action="store_true", help="print JSON on standard output")
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
            raise CommandError(f"Gateway {name!r} exists already: change it with `ws_gateway update {name} …`.")
        if not exists:
            record = ApiGateway(api_name=name)
            gateway_options.apply(record, fields)
            rules.check(record)
            lease.save(record)
        record = create.create(name, self._progress(options))
        self._show(record, options)
        if record.domain_name and not record.reached(create.DOMAIN_STEPS[-1].reaches):
            self.stderr.write(f"Next: `ws_gateway domain {name}` for {record.domain_name}.")

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
            self.stdout.write("Record and AWS agree.")
            return
        shown = [(one.name, one.record, one.aws) for one in [*found, *left]]
        self.stdout.write(output.table(("what", "record", "AWS"), shown))
        self.stdout.write(self._outcome(options, bool(acts), len(left)))

    def _outcome(self, options: dict[str, Any], acted: bool, left: int) -> str:
        if not acted:
            return "Nothing was changed. Use --to-aws or --from-aws without --dry-run to make them agree."
        side = "AWS" if options["to_aws"] else "The record"
        rest = f" {left} of them no record can say: mend them with --to-aws." if left else ""
        return f"{side} was changed.{rest}"

    def do_adopt(self, *, name: str, api_id: str, **options: Any) -> None:
        record = adopt.adopt(name, api_id, stage=options["stage"], default_channel=options["default_channel"])
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
            self.stdout.write("No gateway is registered. `ws_gateway create` makes one, `adopt` takes one over.")
            return
        rows = [
            (r.api_name, r.status, r.api_id, r.websocket_url, len(r.additional_routes), shorten(r.last_error, 60))
            for r in records
        ]
        self.stdout.write(output.table(("gateway", "status", "API id", "URL", "routes", "last error"), rows))

    def do_delete(self, *, name: str, **options: Any) -> None:
        record = lease.load(name)
        if not options["yes"]:
            what = "forget the record of" if options["keep_aws"] else "delete, from AWS too,"
            api = f"API {record.api_id}{', which stays' if record.adopted else ''}" if record.api_id else "no API"
            asked = f"This will {what} gateway {name!r} ({api}). Type its name:"
            if not output.confirmed(asked, name):
                raise CommandError("Nothing was deleted.")
        update.delete(name, keep_aws=options["keep_aws"])
        said = {"deleted": name, "kept_aws": options["keep_aws"]}
        self.stdout.write(output.as_json(said) if options["json"] else f"Gateway {name!r} is deleted.")

    def _progress(self, options: dict[str, Any]) -> create.Report:
        # With --json, standard output belongs to the program that reads it.
        stream = self.stderr if options["json"] else self.stdout
        words = {Progress.DONE: "done", Progress.SKIPPED: "there already", Progress.FAILED: "failed"}

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
